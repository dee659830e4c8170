import fc from 'fast-check'
import type { ColumnType } from '../../dist/protocol/tables.js'
import { isExactDouble } from '../../dist/server/tables/column-types.js'
import type { CsvPlan, PlannedColumn } from '../../dist/server/tables/csv-plan.js'
import { type CsvRecord, readRecords } from '../../dist/server/tables/csv-records.js'
import { openQuote } from '../../dist/server/tables/csv-rules.js'

/** A CSV whose first line is the header, `c0`, `c1`, …, and the types to import its columns with. */
export interface CsvFile {
  readonly text: string
  readonly delimiter: string
  readonly quote: string
  readonly types: Record<string, ColumnType>
}

/** Values by type: some fit it, some nearly do. */
const samples: Record<string, string[]> = {
  text: ['x', 'é日', 'a, b', 'it\'s "so"', 'a\nb', 'a\r\nb', '1'],
  integer: ['0', '1', '-20', '007', '1.5', '1e3', '9223372036854775807', '9223372036854775808', '-', '--1', '+1'],
  double: ['1.5', '-2', '.5', '1.', '1e3', '1e400', '0.30000000000000004', '0.1234567890123456789', '00.5', 'nan'],
  'decimal(6,2)': ['1.5', '-12.30', '1234.56', '12345.6', '1.555', '.5', '1.', '0001.50'],
  boolean: ['true', 'FALSE', 'yes', '1', 'tru', 'truee'],
  date: ['2014-10-08', '2014-1-2', '2012-02-29', '2014-02-30', '10/8/2014', '13/8/2014', '2014-10-08x', '2014-10'],
  timestamp: [
    ...['2014-10-08 12:30', '2014-10-08T12:30:00Z', '2014-10-08 12:30:00.25', '2014-10-08', '2014-10-08 25:00:00'],
    ...['2014-10-08T12:00:00+02:00', '2014-10-08 12:30:00.1234567', '2014-10-08 12:3', '2014-10-08 12:30:00Zx'],
  ],
}

/** The line ends, the columns and how often they fit their type vary; a part of the files ends without a line end. */
export const csvFiles: fc.Arbitrary<CsvFile> = fc
  .record({
    types: fc.array(fc.constantFrom(...Object.keys(samples)), { minLength: 1, maxLength: 4 }),
    delimiter: fc.constantFrom(',', ',', ';', '\t', '|'),
    quote: fc.constantFrom('"', '"', "'"),
    bom: fc.boolean(),
    final: fc.constantFrom('', '', '\n', '\r\n', '\r', '\n\n', ' ', '\n ', ','),
  })
  .chain(({ types, delimiter, quote, bom, final }) => {
    const record = fc.tuple(...types.map((type) => fieldOf(type, quote))).map((fields) => fields.join(delimiter))
    const others = ['', ' ', delimiter, '1', `${quote}x`, ['x', 'y', 'z', 'v', 'w'].join(delimiter)]
    const line = fc.oneof({ weight: 12, arbitrary: record }, fc.constantFrom(...others))
    const names = types.map((_, at) => `c${at}`)
    return fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 5 }).map((lines) => {
      const rows = lines.map(([content, end], at) => content + (at === lines.length - 1 ? final : end))
      const text = `${bom ? '\ufeff' : ''}${names.join(delimiter)}\n${rows.join('')}`
      const named = Object.fromEntries(names.map((name, at) => [name, types[at]! as ColumnType]))
      return { text, delimiter, quote, types: named }
    })
  })

/** The records that fit their plan, and the lines of those that do not; undefined where a quote is never closed. */
export function readByRules(text: string, plan: CsvPlan): { good: string[][]; bad: number[] } | undefined {
  const columns = plan.columns.length
  const records = [...readRecords(text, plan, { complete: true, columns })]
  // After an open quote, the scanner skips one line and the reader the rest of the file.
  if (records.some(({ fault }) => fault === openQuote)) return undefined
  const isGood = ({ fault, fields }: CsvRecord) =>
    fault === null && fields.length === columns && fields.every((field, at) => isValue(field, plan.columns[at]!, plan))
  return {
    good: records.filter(isGood).map(({ fields }) => fields),
    bad: records.filter((record) => !isGood(record)).map(({ line }) => plan.dataLine - 1 + line),
  }
}

function isValue(field: string, { type, asked, ...formats }: PlannedColumn, { values }: CsvPlan): boolean {
  if (field.includes('\0')) return false
  if (field === '' || values.isNull(field)) return true
  const value = asked && type !== 'text' ? field.replace(/^( *-?)0+(?=\d)/, '$1') : field
  const read = values.read(value, type, formats)
  return read !== undefined && (type !== 'double' || asked || isExactDouble(read))
}

function fieldOf(type: string, quote: string): fc.Arbitrary<string> {
  const value = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...samples[type]!) },
    { weight: 2, arbitrary: fc.constant('') },
    fc.constantFrom(...Object.values(samples).flat()),
    fc.constantFrom(' ', 'x\0', '\t', '\u00a0', '-', '.', 'a"b', '\ufeff'),
  )
  const quoted = value.map((text) => quote + text.replaceAll(quote, quote + quote) + quote)
  return fc.oneof(
    { weight: 6, arbitrary: value },
    quoted,
    quoted.map((text) => ` ${text} `),
    quoted.map((text) => `${text}\v`),
    value.map((text) => ` ${text} `),
  )
}
