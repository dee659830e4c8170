import { Problem } from '../../protocol/problems.js'
import { type CsvShape, readRecords } from './csv-records.js'

const delimiters = [',', ';', '\t', '|']
const looked = 200

/**
 * Recognises delimiter, quote and byte order mark from a file's first bytes: of the delimiters, the one that cuts the first
 * records into the same number of fields, and into most. Throws `malformed-csv` for an empty or a UTF-16 file.
 */
export function recogniseShape(bytes: Buffer, complete: boolean): CsvShape {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw malformed('The file is UTF-16; save it as UTF-8.')
  }
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const text = bytes.subarray(bom).toString()
  if (text.trim() === '') throw malformed('The file is empty.')
  const quote = usesSingleQuotes(text) ? "'" : '"'
  const scored = delimiters.map((delimiter) => ({ delimiter, score: score(text, delimiter, quote, complete) }))
  const best = scored.reduce((a, b) => (b.score > a.score ? b : a))
  return { bom, delimiter: best.delimiter, quote }
}

function malformed(message: string): Problem {
  return new Problem('malformed-csv', message, { line: 1, column: null, reason: message })
}

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
