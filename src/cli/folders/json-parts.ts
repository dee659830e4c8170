/** Splits values into groups whose JSON has at most `maxBytes` each: the server limits request bodies. */
export function* jsonParts<T>(values: readonly T[], maxBytes: number, jsonOf: (value: T) => unknown): Generator<T[]> {
  let part: T[] = []
  let bytes = 0
  for (const value of values) {
    const own = Buffer.byteLength(JSON.stringify(jsonOf(value))) + 1
    if (bytes + own > maxBytes && part.length > 0) {
      yield part
      part = []
      bytes = 0
    }
    part.push(value)
    bytes += own
  }
  if (part.length > 0) yield part
}
