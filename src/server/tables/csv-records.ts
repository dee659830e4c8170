export interface CsvShape {
  /** Bytes before the text: 3 for a UTF-8 byte order mark, else 0. */
  readonly bom: number
  readonly delimiter: string
  readonly quote: string
}

export interface CsvRecord {
  /** The line in the file that the record begins at, from 1. */
  readonly line: number
  readonly fields: string[]
  /** What is wrong with its quotes, else null. */
  readonly fault: string | null
  /** Where what follows it begins, in characters, and on which line. */
  readonly end: number
  readonly nextLine: number
}

export const badQuotes = 'text stands after a closing quote'
export const openQuote = 'a quote is opened and never closed'

/**
 * Reads records as RFC 4180 has them, from text: quoted fields may hold delimiters, line ends and doubled quotes; lines end
 * with LF, CRLF or CR; spaces around a quoted field are dropped. Empty lines between records are none, except in a file
 * of one column. `complete` says that the text ends where the file does; else its last, perhaps cut, record is left out.
 */
export function* readRecords(
  text: string,
  { delimiter, quote }: Pick<CsvShape, 'delimiter' | 'quote'>,
  { complete, columns = 0 }: { complete: boolean; columns?: number },
): Generator<CsvRecord> {
  let at = 0
  let line = 1
  while (at < text.length) {
    const first = line
    const start = at
    const fields: string[] = []
    let fault: string | null = null
    for (;;) {
      const field = readField(text, at, delimiter, quote)
      fields.push(field.value)
      fault = field.fault === openQuote ? openQuote : (fault ?? field.fault)
      line += field.lines
      at = field.end
      if (text[at] !== delimiter) break
      at++
    }
    const blank = at === start && columns !== 1
    const cut = at >= text.length || (text[at] === '\r' && at + 1 >= text.length)
    if (cut && !complete) return
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1
    line++
    if (!blank) yield { line: first, fields, fault, end: at, nextLine: line }
  }
}

interface Field {
  value: string
  end: number
  lines: number
  fault: string | null
}

function readField(text: string, from: number, delimiter: string, quote: string): Field {
  let start = from
  while (text[start] === ' ') start++
  if (text[start] !== quote) {
    const end = plainEnd(text, from, delimiter)
    return { value: text.slice(from, end), end, lines: 0, fault: null }
  }
  let value = ''
  let lines = 0
  let at = start + 1
  for (;;) {
    const close = text.indexOf(quote, at)
    const part = text.slice(at, close < 0 ? text.length : close)
    value += part
    lines += part.match(/\r\n|\r|\n/g)?.length ?? 0
    if (close < 0) return { value, end: text.length, lines, fault: openQuote }
    at = close + 1
    if (text[at] !== quote) break
    value += quote
    at++
  }
  const end = plainEnd(text, at, delimiter)
  return { value, end, lines, fault: text.slice(at, end).trim() === '' ? null : badQuotes }
}

function plainEnd(text: string, from: number, delimiter: string): number {
  let at = from
  while (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r') at++
  return at
}
