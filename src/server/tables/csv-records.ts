import {
  badQuotes,
  CR,
  type CsvDialect,
  CsvRules,
  endsLine,
  isBlankLine,
  isCut,
  LF,
  lineEndLength,
  openQuote,
  SPACE,
} from './csv-rules.js'

export interface CsvShape extends CsvDialect {
  /** Bytes before the text: 3 for a UTF-8 byte order mark, else 0. */
  readonly bom: number
}

export interface CsvRecord {
  /** The line of the file where the record starts, from 1. */
  readonly line: number
  readonly fields: string[]
  /** The error of its quotes, or null. */
  readonly fault: string | null
  /** Where it starts, in characters. */
  readonly start: number
  /** The start of the next record, in characters, and its line. */
  readonly end: number
  readonly nextLine: number
}

/**
 * Reads records from text by the rules of `CsvRules`. `complete` says that the text ends where the file does; else its last,
 * perhaps cut, record is left out. The text begins at the line `line` of the file, 1 by default.
 */
export function* readRecords(
  text: string,
  dialect: CsvDialect,
  { complete, columns = 0, line: firstLine = 1 }: { complete: boolean; columns?: number; line?: number },
): Generator<CsvRecord> {
  const rules = new CsvRules(dialect)
  const codeAt = (at: number) => (at < text.length ? text.charCodeAt(at) : undefined)
  let at = 0
  let line = firstLine
  while (at < text.length) {
    if (codeAt(at) === rules.comment) {
      while (at < text.length && codeAt(at) !== LF && codeAt(at) !== CR) at++
      if (!complete && isCut(codeAt(at), at, text.length)) return
      at += lineEndLength(codeAt(at), codeAt(at + 1))
      line++
      continue
    }
    const first = line
    const start = at
    const fields: string[] = []
    let fault: string | null = null
    for (;;) {
      const field = readField(text, at, rules)
      fields.push(field.value)
      fault = field.fault === openQuote ? openQuote : (fault ?? field.fault)
      line += field.lines
      at = field.end
      if (codeAt(at) !== rules.delimiter) break
      at++
    }
    const isBlank = isBlankLine(at - start, columns)
    if (!complete && isCut(codeAt(at), at, text.length)) return
    at += lineEndLength(codeAt(at), codeAt(at + 1))
    line++
    if (!isBlank) yield { line: first, fields, fault, start, end: at, nextLine: line }
  }
}

interface Field {
  value: string
  end: number
  lines: number
  fault: string | null
}

function readField(text: string, from: number, rules: CsvRules): Field {
  const start = endOfSpaces(text, from)
  if (text.charCodeAt(start) !== rules.quote) {
    const end = endOfField(text, from, rules)
    return { value: text.slice(from, end), end, lines: 0, fault: null }
  }
  let value = ''
  let lines = 0
  let partStart = start + 1
  let at = partStart
  for (; ; at++) {
    while (at < text.length && rules.quotedMarks[text.charCodeAt(at)] !== 1) at++
    if (at >= text.length) return { value: value + text.slice(partStart), end: text.length, lines, fault: openQuote }
    const [code, next] = [text.charCodeAt(at), text.charCodeAt(at + 1)]
    if (code === rules.quoteEscape) {
      if (next !== rules.quote && next !== rules.quoteEscape) continue
      // The escaped character stays.
      value += text.slice(partStart, at++)
      partStart = at
    } else if (code === rules.quote) {
      if (rules.quoteEscape >= 0) break
      if (next !== rules.quote) break
      // The first of the two quotes stays.
      value += text.slice(partStart, ++at)
      partStart = at + 1
    } else if (endsLine(code, next)) lines++
  }
  value += text.slice(partStart, at)
  const end = endOfField(text, at + 1, rules)
  return { value, end, lines, fault: endOfSpaces(text, at + 1) === end ? null : badQuotes }
}

function endOfField(text: string, from: number, { fieldEnds }: CsvRules): number {
  let at = from
  while (at < text.length && fieldEnds[text.charCodeAt(at)] !== 1) at++
  return at
}

function endOfSpaces(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) === SPACE) at++
  return at
}
