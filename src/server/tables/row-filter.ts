import { Problem } from '../../protocol/problems.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { parseMoment } from './moment.js'
import { parseConditions, type RowCondition } from './row-conditions.js'
import { quoteText } from './sql-text.js'
import { dateColumnOf, findColumn, unionColumns } from './union.js'

/** `from` is inclusive, `to` exclusive; on `column`, by default the table's date column. */
export interface RowFilter {
  from?: string | undefined
  to?: string | undefined
  column?: string | undefined
  /** Conditions such as `Region = Europe`, all of which must hold. */
  where?: readonly string[] | undefined
}

/** Of a column of the table. */
interface DateRange {
  readonly column: string
  readonly from: string | null
  readonly to: string | null
}

/** Undefined without a filter. Throws `invalid-request`. */
export function parseFilter(table: StoredTable, filter: RowFilter): RowCondition | undefined {
  const range = parseRange(table, filter)
  const where = filter.where?.length ? parseConditions(unionColumns(table), filter.where) : undefined
  if (!range && !where) return undefined
  return {
    values: where?.values ?? {},
    in(part) {
      const dates = range ? rangeCondition(part, range) : undefined
      if (dates === null) return null
      return [dates, where?.in(part)].filter((condition) => condition !== undefined).join(' AND ')
    },
  }
}

/**
 * Undefined without a filter. Throws `invalid-request`: a date that does not exist, `from` after `to`, no date column.
 */
function parseRange(table: StoredTable, filter: RowFilter): DateRange | undefined {
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
function rangeCondition(part: StoredImport, { column, from, to }: DateRange): string | null {
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

function invalid(field: string, reason: string): Problem {
  return new Problem('invalid-request', `${field}: ${reason}.`, { field })
}
