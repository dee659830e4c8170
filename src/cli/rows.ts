import { tablePath } from '../protocol/routes.js'
import type { Rows, Column as TableColumn } from '../protocol/tables.js'
import type { Api } from './api.js'
import { Failure } from './exit-codes.js'
import { type Column, formatTable } from './table.js'

export type Row = Record<string, unknown>

/** A table as text, whole: what to ask for. */
export interface TextTable {
  readonly table: string
  readonly query: Record<string, string>
  readonly mediaType: 'text/csv' | 'application/x-ndjson'
}

export interface RowsPage {
  /** All rows that match, on whatever page. */
  readonly count: number
  readonly columns: TableColumn[]
  readonly rows: Row[]
}

/** Reads `limit` rows from `offset` on, as many requests as it takes: one has a thousand at most. */
export async function readRows(
  api: Api,
  { table, query, limit, offset }: { table: string; query: Record<string, string>; limit: number; offset: number },
): Promise<RowsPage> {
  const rows: Row[] = []
  for (;;) {
    const wanted = { ...query, limit: limit - rows.length, offset: offset + rows.length }
    const page = await api.send<Rows>('GET', tablePath(table, 'rows'), { query: wanted })
    rows.push(...page.results)
    if (rows.length >= limit || page.next === null) return { count: page.count, columns: page.columns, rows }
  }
}

/** Rows for people: aligned columns, numbers to the right. */
export function formatRows(columns: readonly TableColumn[], rows: readonly Row[]): string {
  const shown = columns.map(
    ({ name, type }): Column<Row> => ({
      title: name,
      align: isNumeric(type) ? 'right' : 'left',
      cell: (row) => formatValue(row[name]),
    }),
  )
  return formatTable(shown, rows)
}

/** Rows as CSV (RFC 4180), with a line of names. */
export function formatCsv(columns: readonly TableColumn[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ name }) => name),
    ...rows.map((row) => columns.map(({ name }) => formatValue(row[name]))),
  ]
  return lines.map((fields) => `${fields.map(quoteField).join(',')}\n`).join('')
}

export function parseCount(value: string, option: string, least = 0): number {
  const count = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
  if (count >= least) return count
  throw new Failure('wrongUse', `${option}: "${value}" is not a whole number from ${least} on.`)
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function quoteField(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function isNumeric(type: string): boolean {
  return /^(integer|double|decimal)/.test(type)
}
