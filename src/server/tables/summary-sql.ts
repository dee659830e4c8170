import type { TableSummary } from '../../protocol/tables.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { sourceOf } from './rows-sql.js'
import { columnExpression, findColumn, type UnionColumn } from './union.js'

export type TimeUnit = NonNullable<TableSummary['overTime']>['unit']

/** An import, and its field with dates. */
export interface DatedPart {
  readonly part: StoredImport
  readonly field: string
}

/** Up to this size distinct values are counted exactly at little cost; beyond, the engine estimates them. */
const exactRows = 200_000

/** One row with three values per column: distinct values, minimum and maximum. */
export function statistics({ imports }: StoredTable, columns: UnionColumn[]): string {
  const rows = imports.reduce((sum, part) => sum + part.rows, 0)
  const distinct = (value: string) =>
    rows > exactRows ? `approx_count_distinct(${value})` : `count(DISTINCT ${value})`
  const values = columns.map((_, at) => `${distinct(`v${at}`)}, min(v${at}), max(v${at})`)
  const parts = imports.map((part) => {
    const list = columns.map((column, at) => `${columnExpression(part, column)} AS v${at}`)
    return `SELECT ${list.join(', ')} FROM ${sourceOf(part)}`
  })
  return `SELECT ${values.join(', ')} FROM (${parts.join(' UNION ALL ')})`
}

export function datedParts({ imports }: StoredTable, column: string): DatedPart[] {
  return imports.flatMap((part) => {
    const found = findColumn(part, column)
    return found && (found.type === 'date' || found.type === 'timestamp') ? [{ part, field: found.field }] : []
  })
}

/** One row: the first and the last day. */
export function dateSpan(parts: DatedPart[]): string {
  return `SELECT min(CAST(moment AS DATE)), max(CAST(moment AS DATE)) FROM (${moments(parts)})`
}

/** A row for each unit of time in which there are rows, in order: its first day, and how many. */
export function countsOverTime(parts: DatedPart[], unit: TimeUnit): string {
  return `SELECT CAST(date_trunc('${unit}', moment) AS DATE) AS start, count(*) FROM (${moments(parts)})
    WHERE moment IS NOT NULL GROUP BY start ORDER BY start LIMIT 1000`
}

function moments(parts: DatedPart[]): string {
  return parts
    .map(({ part, field }) => `SELECT CAST(${field} AS TIMESTAMP) AS moment FROM ${sourceOf(part)}`)
    .join(' UNION ALL ')
}
