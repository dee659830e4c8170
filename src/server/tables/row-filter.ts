import { Problem } from '../../protocol/problems.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { isDate } from './column-types.js'
import { isoDates, parseDateFormat } from './date-format.js'
import { quoteText } from './sql-text.js'
import { dateColumnOf, findColumn, unionColumns } from './union.js'

/** `from` is inclusive, `to` exclusive; on `column`, by default the table's date column. */
export interface RowFilter {
  from?: string | undefined
  to?: string | undefined
  column?: string | undefined
}

/** A filter that was validated for its table. */
export interface DateRange {
  readonly column: string
  readonly from: string | null
  readonly to: string | null
}

const iso = parseDateFormat(isoDates)
const timePattern = /^(\d{4}-\d\d-\d\d)[T ]((?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?)Z?$/

/**
 * Undefined without a filter. Throws `invalid-request`: a date that does not exist, `from` after `to`, no date column.
 */
export function parseFilter(table: StoredTable, filter: RowFilter): DateRange | undefined {
  if (filter.from === undefined && filter.to === undefined && filter.column === undefined) return undefined
  const columns = unionColumns(table)
  const wanted = filter.column ?? dateColumnOf(table)
  if (wanted === null) throw invalid('column', `The table "${table.name}" has no date column to look in`)
  const column = columns.find(({ name }) => name.toLowerCase() === wanted.toLowerCase())
  if (!column) throw invalid('column', `There is no column "${wanted}" in the table "${table.name}"`)
  if (!table.imports.some((part) => isDated(part, column.name))) {
    throw invalid('column', `The column "${wanted}" holds no dates`)
  }
  const from = filter.from === undefined ? null : parseMoment(filter.from, 'from')
  const to = filter.to === undefined ? null : parseMoment(filter.to, 'to')
  if (from !== null && to !== null && from > to) throw invalid('from', `"${filter.from}" is after "${filter.to}"`)
  return from === null && to === null ? undefined : { column: column.name, from, to }
}

/** The condition in an import; null if no row can match, because its column has no dates. */
export function rangeCondition(part: StoredImport, { column, from, to }: DateRange): string | null {
  if (!isDated(part, column)) return null
  const { field } = findColumn(part, column)!
  return [
    ...(from === null ? [] : [`${field} >= ${literal(from)}`]),
    ...(to === null ? [] : [`${field} < ${literal(to)}`]),
  ].join(' AND ')
}

function isDated(part: StoredImport, column: string): boolean {
  const type = findColumn(part, column)?.type
  return type === 'date' || type === 'timestamp'
}

function literal(moment: string): string {
  return `${moment.length > 10 ? 'TIMESTAMP' : 'DATE'} ${quoteText(moment)}`
}

/** In a form that compares like its moment. */
function parseMoment(text: string, field: string): string {
  const [, day, time] = timePattern.exec(text) ?? [undefined, text, undefined]
  if (!isDate(day!, iso) || day!.length !== 10)
    throw invalid(field, `"${text}" is no date that exists; write it like 2014-10-08`)
  return time === undefined ? day! : `${day} ${time}`
}

function invalid(field: string, reason: string): Problem {
  return new Problem('invalid-request', `${field}: ${reason}.`, { field })
}
