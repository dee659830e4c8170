import { openDecoding } from './encodings.js'
import { LineCounter } from './line-counter.js'
import { malformedAt } from './malformed.js'

/** Opens a file's bytes from their start, as often as needed. */
export type OpenBytes = () => AsyncIterable<Buffer>

/** Decodes a text to UTF-8. Throws `malformed-csv` with line, offset and bytes where it is invalid. */
export async function* decodeText(open: OpenBytes, encoding: string): AsyncGenerator<Buffer> {
  const decoding = openDecoding(encoding)
  let offset = 0
  for await (const chunk of open()) {
    yield Buffer.from(await orFault(() => decoding.decode(chunk), open, encoding, offset))
    offset += chunk.length
  }
  yield Buffer.from(await orFault(() => decoding.end(), open, encoding, offset))
}

async function orFault(decode: () => string, open: OpenBytes, encoding: string, before: number): Promise<string> {
  try {
    return decode()
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw await invalidAt(open, encoding, before)
  }
}

/** Decodes once more, byte by byte from the offset `before`, as decoders do not say where they fail. */
async function invalidAt(open: OpenBytes, encoding: string, before: number): Promise<Error> {
  const decoding = openDecoding(encoding)
  const lines = new LineCounter()
  let offset = 0
  /** Of the character that is being read. */
  let pending: number[] = []
  const fault = () => {
    const reason = `bytes that are not ${encoding}: ${shown(pending)} at offset ${offset - pending.length}`
    return malformedAt(lines.line, `${reason}.`, ' "--encoding NAME" (encoding) names another encoding.')
  }
  for await (const chunk of open()) {
    const known = Math.max(0, Math.min(chunk.length, before - offset - maxCharacterBytes))
    lines.add(decoding.decode(chunk.subarray(0, known)))
    offset += known
    for (const byte of chunk.subarray(known)) {
      pending.push(byte)
      offset++
      let text: string
      try {
        text = decoding.decode(Uint8Array.of(byte))
      } catch {
        return fault()
      }
      lines.add(text)
      if (text !== '') pending = []
    }
  }
  return fault()
}

export function shown(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ')
}

const maxCharacterBytes = 8
