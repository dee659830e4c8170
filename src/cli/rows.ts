import type { Api } from '../client/api.js'
import { tablePath } from '../protocol/routes.js'
import type { Rows, Column as TableColumn } from '../protocol/tables.js'
import { formatTable, type TextColumn } from './table.js'

export type Row = Record<string, unknown>

export const mediaTypes = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  parquet: 'application/vnd.apache.parquet',
} as const
export type RowFormat = keyof typeof mediaTypes

/** How to read all rows of a table or query. */
export interface WholeRows {
  /** What they are called. */
  readonly title: string
  readonly path: string
  /** The body of a POST; undefined for a GET. */
  readonly body?: unknown
  readonly format: RowFormat
}

export interface RowsAnswer {
  /** All matching rows, on any page. */
  readonly count: number
  readonly columns: TableColumn[]
  readonly rows: Row[]
}

/** Reads `limit` rows from `offset` on, in as many requests as needed: a page has at most a thousand rows. */
export async function readRows(
  api: Api,
  { table, query, limit, offset }: { table: string; query: URLSearchParams; limit: number; offset: number },
): Promise<RowsAnswer> {
  const rows: Row[] = []
  for (;;) {
    const wanted = new URLSearchParams(query)
    wanted.set('limit', String(limit - rows.length))
    wanted.set('offset', String(offset + rows.length))
    const page = await api.send<Rows>('GET', tablePath(table, 'rows'), { query: wanted })
    rows.push(...page.results)
    if (rows.length >= limit || page.next === null) return { count: page.count, columns: page.columns, rows }
  }
}

/** Formats rows as aligned columns, numbers to the right. */
export function formatRows(columns: readonly TableColumn[], rows: readonly Row[]): string {
  const shown = columns.map(
    ({ name, type }): TextColumn<Row> => ({
      title: name,
      align: isNumeric(type) ? 'right' : 'left',
      cell: (row) => formatValue(row[name]),
    }),
  )
  return formatTable(shown, rows)
}

/** Formats rows as CSV (RFC 4180), with a header line. */
export function formatCsv(columns: readonly TableColumn[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ name }) => name),
    ...rows.map((row) => columns.map(({ name }) => formatValue(row[name]))),
  ]
  return lines.map((fields) => `${fields.map(quoteField).join(',')}\n`).join('')
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
