import { Problem } from '../../protocol/problems.js'

/** Decodes a text in chunks. Throws a TypeError for bytes that are not valid. */
export interface TextDecoding {
  decode(chunk: Uint8Array): string
  /** The rest of the text; throws if a character is cut. */
  end(): string
}

/** The name of an encoding by one of its labels, as the WHATWG lists them. Throws `invalid-request` for an unknown one. */
export function parseEncoding(label: string): string {
  try {
    return new TextDecoder(label.trim()).encoding
  } catch (error) {
    const known = 'windows-1252, iso-8859-15, windows-1251, shift_jis, gb18030 or utf-16le'
    throw new Problem(
      'invalid-request',
      `encoding must be the name of a character encoding, such as ${known}, not "${label}".`,
      { field: 'encoding' },
      { cause: error },
    )
  }
}

export function openDecoding(encoding: string): TextDecoding {
  // Node.js decodes it as ISO-8859-1 in some versions, without the euro sign and curly quotes.
  if (encoding === 'windows-1252') return { decode: decodeWindows1252, end: () => '' }
  const decoder = new TextDecoder(encoding, { fatal: true })
  return { decode: (chunk) => decoder.decode(chunk, { stream: true }), end: () => decoder.decode() }
}

/** The encoding that a file's first bytes name or make evident; undefined otherwise. UTF-32 is one that cannot be decoded. */
export function evidentEncoding(head: Buffer): { encoding: string; by: 'mark' | 'zeros' } | undefined {
  if (startsWith(head, [0xff, 0xfe, 0, 0]) || startsWith(head, [0, 0, 0xfe, 0xff])) {
    return { encoding: 'utf-32', by: 'mark' }
  }
  if (startsWith(head, [0xef, 0xbb, 0xbf])) return { encoding: 'utf-8', by: 'mark' }
  if (startsWith(head, [0xff, 0xfe])) return { encoding: 'utf-16le', by: 'mark' }
  if (startsWith(head, [0xfe, 0xff])) return { encoding: 'utf-16be', by: 'mark' }
  const encoding = utf16ByZeros(head)
  return encoding && { encoding, by: 'zeros' }
}

/** Most characters of a table are ASCII, of which UTF-16 makes pairs with a zero byte on the same side. */
function utf16ByZeros(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const pairs = Math.floor(Math.min(head.length, looked) / 2)
  if (pairs < 2) return undefined
  const zeros = [0, 0]
  for (let at = 0; at < pairs * 2; at++) if (head[at] === 0) zeros[at % 2]!++
  const [first, second] = zeros as [number, number]
  if (second > pairs * 0.6 && first === 0) return 'utf-16le'
  return first > pairs * 0.6 && second === 0 ? 'utf-16be' : undefined
}

function startsWith(head: Buffer, start: number[]): boolean {
  return start.every((byte, at) => head[at] === byte)
}

/** All bytes but these are those of ISO-8859-1; five of them have no character. */
function decodeWindows1252(chunk: Uint8Array): string {
  const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
  return text.replace(/[\x80-\x9f]/g, (character) => {
    const decoded = windows1252[character.charCodeAt(0) - 0x80]!
    if (decoded === none) throw new TypeError('This byte has no character in Windows-1252.')
    return decoded
  })
}

const none = ' '
const windows1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'
const looked = 4096
