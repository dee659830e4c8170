import type { TableSummary } from '../protocol/tables.js'
import { formatTable, type TextColumn } from './table.js'

type ColumnSummary = TableSummary['columns'][number]

const longestValue = 30
const barLength = 40

/** A summary of a table: its columns, and the number of rows over time. */
export function formatSummary({ rows, columns, overTime }: TableSummary): string {
  const parts = [`${rows.toLocaleString('en')} rows`, formatTable(summaryColumns, columns)]
  if (overTime && overTime.counts.length > 0) parts.push(formatOverTime(overTime))
  return parts.join('\n\n')
}

const summaryColumns: TextColumn<ColumnSummary>[] = [
  { title: 'COLUMN', cell: ({ name }) => name },
  { title: 'TYPE', cell: ({ type }) => type },
  { title: 'NULLS', align: 'right', cell: ({ nulls }) => nulls.toLocaleString('en') },
  { title: '~DISTINCT', align: 'right', cell: ({ distinct }) => distinct.toLocaleString('en') },
  { title: 'MIN', cell: ({ min }) => shorten(min) },
  { title: 'MAX', cell: ({ max }) => shorten(max) },
]

function formatOverTime({ column, unit, counts }: NonNullable<TableSummary['overTime']>): string {
  const most = Math.max(...counts.map(({ rows }) => rows))
  const lines: TextColumn<{ from: string; rows: number }>[] = [
    { title: unit.toUpperCase(), cell: ({ from }) => from },
    { title: 'ROWS', align: 'right', cell: ({ rows }) => rows.toLocaleString('en') },
    { title: column, cell: ({ rows }) => '='.repeat(Math.round((rows / most) * barLength)) },
  ]
  return formatTable(lines, counts)
}

function shorten(value: unknown): string {
  const text = value === null || value === undefined ? '' : String(value)
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text
}
