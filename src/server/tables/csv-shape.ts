import { Problem } from '../../protocol/problems.js'
import { type CsvShape, readRecords } from './csv-records.js'
import { refuseOtherFormats } from './other-formats.js'

/** With what else would fit. */
export interface RecognisedShape extends CsvShape {
  /** Another delimiter that cuts all of the first records into as many fields each; null where there is none. */
  readonly otherDelimiter: string | null
}

const delimiters = [',', ';', '\t', '|']
const looked = 200

/**
 * Recognises delimiter, quote and byte order mark from a file's first bytes: of the delimiters, the one that cuts the first
 * records into the same number of fields, and into most. Throws `malformed-csv` for an empty file and for other formats.
 */
export function recogniseShape(bytes: Buffer, complete: boolean): RecognisedShape {
  refuseOtherFormats(bytes)
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const text = bytes.subarray(bom).toString()
  if (text.trim() === '') {
    const reason = 'The file is empty.'
    throw new Problem('malformed-csv', reason, { line: 1, column: null, reason })
  }
  const quote = usesSingleQuotes(text) ? "'" : '"'
  const scored = delimiters.map((delimiter) => ({ delimiter, score: score(text, delimiter, quote, complete) }))
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
  const other = scored.find(({ score, delimiter }) => score >= leastScoreOfAll && delimiter !== best.delimiter)
  return { bom, delimiter: best.delimiter, quote, otherDelimiter: other?.delimiter ?? null }
}

/** Of two columns in all records. */
const leastScoreOfAll = 12

/** The number of columns, weighed by how many records agree with the first; 0 where the first has one column. */
function score(text: string, delimiter: string, quote: string, complete: boolean): number {
  let columns = 0
  let records = 0
  let agreeing = 0
  for (const record of readRecords(text, { delimiter, quote }, { complete })) {
    columns ||= record.fields.length
    if (columns === 1) return 0
    records++
    if (record.fields.length === columns && !record.fault) agreeing++
    if (records === looked) break
  }
  if (records === 0) return text.split(delimiter).length - 1 > 0 ? 0.01 : 0
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
