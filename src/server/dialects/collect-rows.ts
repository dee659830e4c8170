import { z } from 'zod'
import type { Column } from '../../protocol/tables.js'
import type { StoredTable } from '../stores/tables.js'
import type { JsonValue } from '../tables/json-values.js'
import type { TableRows } from '../tables/table-rows.js'
import { fieldProblem } from './collect-errors.js'

export interface CollectedRow {
  /** By column: numbers as numbers, dates as written in the file. */
  data: Record<string, JsonValue>
  /** RFC 3339, at midnight UTC; null if the file has no such column. */
  order_placed: JsonValue
}

export interface RowsWanted {
  limit: number
  offset: number
  /** A date, inclusive. */
  from: string | undefined
  /** The column that `from` filters by. */
  column: string
}

/** Newest import and last line first. Throws a `fieldProblem` for an invalid date. */
export async function collectedRows(
  tableRows: TableRows,
  table: StoredTable | undefined,
  { limit, offset, from, column }: RowsWanted,
  signal: AbortSignal,
): Promise<{ count: number; results: CollectedRow[] }> {
  if (from !== undefined && !z.iso.date().safeParse(from).success) {
    throw fieldProblem({ from: [`"${from}" is no date; write it like 2015-08-01.`] })
  }
  if (!table || (from !== undefined && !table.imports.some(({ dateColumn }) => dateColumn === column))) {
    return { count: 0, results: [] }
  }
  const filter = from === undefined ? {} : { from, column }
  const style = { dates: 'original', moment: true } as const
  const { count, columns, rows } = await tableRows.page(
    table,
    { limit, offset, ...filter, style, order: 'newest' },
    signal,
  )
  return { count, results: rows.map((row) => wordRow(columns, row)) }
}

function wordRow(columns: readonly Column[], row: JsonValue[]): CollectedRow {
  const data = Object.fromEntries(columns.map((column, at) => [column.name, asNumber(column, row[at] ?? null)]))
  return { data, order_placed: row.at(-1) ?? null }
}

/** Large integers and decimals are strings, which keep every digit; this interface converts them to numbers. */
function asNumber({ type }: Column, value: JsonValue): JsonValue {
  return typeof value === 'string' && /^(integer|decimal|double)/.test(type) ? Number(value) : value
}
