import { type CsvShape, readRecords } from './csv-records.js'
import { CR, type CsvDialect, isCut, LF, lineEndLength } from './csv-rules.js'
import { malformedAt } from './malformed.js'

/** With what else would fit. */
export interface RecognisedShape extends CsvShape {
  /** Another delimiter that cuts all of the first records into as many fields each; null where there is none. */
  readonly otherDelimiter: string | null
  /** Characters and lines above the header, which are left out. */
  readonly above: { readonly characters: number; readonly lines: number }
}

/** How a file is written, where the request says it. */
export interface ShapeOptions extends Partial<CsvDialect> {
  /** Lines above the header. */
  skipLines?: number
}

const delimiters = [',', ';', '\t', '|']
const looked = 200

/**
 * Recognises delimiter, quote and byte order mark from a file's first bytes: of the delimiters, the one that cuts the first
 * records into the same number of fields, and into most. A first line such as `sep=;` names it. Throws `malformed-csv` for an
 * empty file.
 */
export function recogniseShape(bytes: Buffer, complete: boolean, options: ShapeOptions = {}): RecognisedShape {
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const all = bytes.subarray(bom).toString()
  const named = namedDelimiter.exec(all)
  const above = linesAbove(all, (options.skipLines ?? 0) + (named ? 1 : 0))
  const text = all.slice(above.characters)
  if (text.trim() === '') throw malformedAt(above.lines + 1, 'The file is empty.')
  const quote = options.quote ?? (usesSingleQuotes(text) ? "'" : '"')
  const { comment } = options
  const quoteEscape = options.quoteEscape === quote ? undefined : options.quoteEscape
  const known = options.delimiter ?? named?.[1]
  const scored = (known ? [known] : delimiters).map((delimiter) => {
    return { delimiter, score: score(text, { delimiter, quote, quoteEscape, comment }, complete) }
  })
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
  const other = scored.find(({ score, delimiter }) => score >= leastScoreOfAll && delimiter !== best.delimiter)
  return {
    bom,
    delimiter: best.delimiter,
    quote,
    quoteEscape,
    comment,
    otherDelimiter: other?.delimiter ?? null,
    above,
  }
}

/** The line that names the delimiter for spreadsheets, which may have delimiters behind it. */
const namedDelimiter = /^"?sep=([^\r\n"])"?[,;|\t]*(?=[\r\n]|$)/i

/** The first `count` lines of a text. */
function linesAbove(text: string, count: number): { characters: number; lines: number } {
  let at = 0
  for (let line = 0; line < count; line++) {
    while (at < text.length && text.charCodeAt(at) !== LF && text.charCodeAt(at) !== CR) at++
    if (isCut(text.charCodeAt(at), at, text.length)) return { characters: text.length, lines: line + 1 }
    at += lineEndLength(text.charCodeAt(at), text.charCodeAt(at + 1))
  }
  return { characters: at, lines: count }
}

/** Of two columns in all records. */
const leastScoreOfAll = 12

/** The number of columns, weighed by how many records agree with the first; 0 where the first has one column. */
function score(text: string, dialect: CsvDialect, complete: boolean): number {
  let columns = 0
  let records = 0
  let agreeing = 0
  for (const record of readRecords(text, dialect, { complete })) {
    columns ||= record.fields.length
    if (columns === 1) return 0
    records++
    if (record.fields.length === columns && !record.fault) agreeing++
    if (records === looked) break
  }
  if (records === 0) return text.includes(dialect.delimiter) ? 0.01 : 0
  const share = agreeing / records
  return share * share * (10 + columns)
}

/** Only where most lines have fields enclosed in them and none has one in double quotes: `'tis` and `it's` are text. */
function usesSingleQuotes(text: string): boolean {
  const lines = text.split(/\r\n|\r|\n/, looked).map((line) => line.slice(0, 10_000))
  const enclosed = (quote: string) =>
    new RegExp(`(?:^|[,;\\t|]) *${quote}(?:[^${quote}]|${quote}${quote})*${quote} *(?:$|[,;\\t|])`)
  const double = enclosed('"')
  const single = enclosed("'")
  return !lines.some((line) => double.test(line)) && lines.filter((line) => single.test(line)).length > lines.length / 2
}
