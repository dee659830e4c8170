import type { Fault } from '../../protocol/import-checks.js'
import { CR, LF } from './csv-rules.js'
import type { OpenBytes } from './decode-text.js'

const shownBytes = 240
const shownCharacters = 80
const byteOrderMark = Buffer.from('\ufeff')

/** The start of a line, for people. */
export function startOf(bytes: Buffer, from: number): string {
  const [line = ''] = bytes.toString('utf8', from, from + shownBytes).split(/[\r\n]/, 1)
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line
}

/** Where a line of a UTF-8 text begins, and its start; undefined if the text has fewer lines. */
export async function lineStart(open: OpenBytes, line: number): Promise<Pick<Fault, 'offset' | 'text'> | undefined> {
  let rest: Buffer = Buffer.alloc(0)
  let base = 0
  let left = line - 1
  for await (const chunk of open()) {
    const bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    let at = base === 0 && bytes.subarray(0, byteOrderMark.length).equals(byteOrderMark) ? byteOrderMark.length : 0
    // The last bytes wait for the next chunk: a CRLF, or the start that is shown, may be cut.
    for (const end = bytes.length - shownBytes; at < end && left > 0; at++) if (endsLine(bytes, at)) left--
    if (left === 0) return { offset: base + at, text: startOf(bytes, at) }
    rest = bytes.subarray(at)
    base += at
  }
  let at = 0
  for (; at < rest.length && left > 0; at++) if (endsLine(rest, at)) left--
  return left === 0 ? { offset: base + at, text: startOf(rest, at) } : undefined
}

function endsLine(bytes: Buffer, at: number): boolean {
  return bytes[at] === LF || (bytes[at] === CR && bytes[at + 1] !== LF)
}
