/** How the records of a CSV are written: one ASCII character each. */
export interface CsvDialect {
  readonly delimiter: string
  /** Empty if values are not quoted. */
  readonly quote: string
  /** Before a quote within quotes; by default quotes are doubled instead. */
  readonly quoteEscape?: string | undefined
  /** Lines that begin with it are no records. */
  readonly comment?: string | undefined
}

export const [LF, CR, SPACE, NUL] = [10, 13, 32, 0] as const

export const badQuotes = 'text stands after a closing quote'
export const openQuote = 'a quote is opened and never closed'

/**
 * The rules of a record, for bytes and for text (all its marks are ASCII). RFC 4180: a field that begins with a quote ends
 * with one, and may hold delimiters, line ends and doubled quotes. Beyond it: lines end with LF, CRLF or CR, spaces around a
 * quoted field are dropped, and a line without a character is no record, except in a file of one column.
 * With an escape character, it is literal within quotes unless a quote or another one follows.
 */
export class CsvRules {
  readonly delimiter: number
  /** -1 if there is none, as for the next two. */
  readonly quote: number
  readonly quoteEscape: number
  readonly comment: number
  /** By code: 1 for what ends a field outside of quotes. */
  readonly fieldEnds = new Uint8Array(256)
  /** By code: 1 for what has a meaning within quotes. */
  readonly quotedMarks = new Uint8Array(256)

  constructor({ delimiter, quote, quoteEscape, comment }: CsvDialect) {
    this.delimiter = delimiter.charCodeAt(0)
    this.quote = codeOf(quote)
    this.quoteEscape = quoteEscape === quote ? none : codeOf(quoteEscape)
    this.comment = codeOf(comment)
    for (const code of [LF, CR, this.delimiter]) this.fieldEnds[code] = 1
    for (const code of [LF, CR, this.quote, this.quoteEscape]) if (code !== none) this.quotedMarks[code] = 1
  }
}

const none = -1

function codeOf(character: string | undefined): number {
  return character ? character.charCodeAt(0) : none
}

/** How many characters of the line end begin here, given the next one: 2 for CRLF. */
export function lineEndLength(code: number | undefined, next: number | undefined): number {
  return code === CR && next === LF ? 2 : 1
}

/** Whether the character is the last one of a line end: the CR of a CRLF is not. */
export function endsLine(code: number | undefined, next: number | undefined): boolean {
  return code === LF || (code === CR && next !== LF)
}

/** Whether a record that stops at `at` may continue behind `end`, where the next characters are not known yet. */
export function isCut(code: number | undefined, at: number, end: number): boolean {
  return at >= end || (code === CR && at + 1 >= end)
}

export function isBlankLine(length: number, columns: number): boolean {
  return length === 0 && columns !== 1
}

/** The length of the first `end` bytes without the last character if it is incomplete. */
export function wholeCharacters(bytes: Buffer, end: number): number {
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back]!
    if (byte < 0x80) return end
    if (byte >= 0xc0) return end - back
  }
  return end
}
