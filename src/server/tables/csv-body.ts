import { Problem } from '../../protocol/problems.js'
import type { ImportBody } from '../../protocol/tables.js'
import { parseColumnType } from './column-types.js'
import type { CsvOptions } from './csv-plan.js'
import { parseDateFormat } from './date-format.js'
import { parseEncoding } from './encodings.js'

/** The options of a request's body. Throws `invalid-request` for those that contradict each other. */
export function parseCsvOptions({
  types,
  booleans,
  escape: quoteEscape,
  ...rest
}: Omit<ImportBody, NotOfCsv>): CsvOptions {
  const {
    dateFormat,
    dateFormats = {},
    encoding,
    decimal = '.',
    thousands,
    delimiter,
    quote,
    comment,
    header,
    headerLines = 1,
  } = rest
  if (dateFormat !== undefined) parseDateFormat(dateFormat)
  for (const format of Object.values(dateFormats)) parseDateFormat(format, 'dateFormats')
  if (encoding !== undefined) parseEncoding(encoding)
  if (thousands === decimal) throw contradiction('thousands', 'is the decimal mark too')
  if (delimiter !== undefined && [quote, quoteEscape, comment].includes(delimiter)) {
    throw contradiction('delimiter', 'has another meaning too')
  }
  if (quoteEscape !== undefined && quote === '') throw contradiction('escape', 'is for values in quotes')
  if (header === false && headerLines > 1) throw contradiction('headerLines', 'needs a header')
  return {
    ...rest,
    ...(quoteEscape === undefined ? {} : { quoteEscape }),
    ...(booleans ? { booleans: booleans.map((pair) => pair.split('/') as [string, string]) } : {}),
    ...(types ? { types: parseTypes(types) } : {}),
  }
}

function contradiction(field: string, why: string): Problem {
  return new Problem('invalid-request', `${field}: it ${why}.`, { field })
}

function parseTypes(types: Record<string, string>) {
  return Object.fromEntries(Object.entries(types).map(([column, type]) => [column, parseColumnType(type)]))
}

type NotOfCsv = 'filename' | 'filenames' | 'table' | 'replace' | 'once' | 'skipBadLines' | 'trim'
