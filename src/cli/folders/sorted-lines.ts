import { readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

const chunkBytes = 256 * 1024

/** Yields the lines of an open file from its start, many at a time. Skips an incomplete last line. */
export function* linesOf(descriptor: number): Generator<string[]> {
  const decoder = new StringDecoder('utf8')
  const buffer = Buffer.allocUnsafe(chunkBytes)
  let rest = ''
  for (let position = 0; ; ) {
    const bytes = readSync(descriptor, buffer, 0, chunkBytes, position)
    if (bytes === 0) return
    position += bytes
    const lines = (rest + decoder.write(buffer.subarray(0, bytes))).split('\n')
    rest = lines.pop()!
    if (lines.length > 0) yield lines
  }
}
