/** Splits values into parts whose JSON has at most `mostBytes`: the server limits the body of a request. */
export function* jsonParts<T>(values: readonly T[], mostBytes: number, jsonOf: (value: T) => unknown): Generator<T[]> {
  let part: T[] = []
  let bytes = 0
  for (const value of values) {
    const own = Buffer.byteLength(JSON.stringify(jsonOf(value))) + 1
    if (bytes + own > mostBytes && part.length > 0) {
      yield part
      part = []
      bytes = 0
    }
    part.push(value)
    bytes += own
  }
  if (part.length > 0) yield part
}
