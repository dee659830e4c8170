import { maxFacetText } from '../../protocol/facets.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import type { RowCondition } from './row-conditions.js'
import { sourceOf } from './rows-sql.js'
import { columnExpression, type UnionColumn } from './union.js'

/** An import, and the condition on its rows; undefined for all of them. */
export interface FacetPart {
  readonly part: StoredImport
  readonly condition: string | undefined
}

/** The imports that can have matching rows. */
export function facetParts({ imports }: StoredTable, filter: RowCondition | undefined): FacetPart[] {
  return imports.flatMap((part) => {
    const condition = filter?.in(part)
    return condition === null ? [] : [{ part, condition }]
  })
}

export function countRows(parts: readonly FacetPart[]): string {
  return `SELECT count(*) FROM (${unionOf(parts, () => '1')})`
}

/** One row: missing and distinct values, the least and the greatest. Exact counts need memory for all distinct values. */
export function columnStatistics(parts: readonly FacetPart[], column: UnionColumn, isExact: boolean): string {
  const distinct = isExact ? 'count(DISTINCT v)' : 'approx_count_distinct(v)'
  const cut = (value: string) => (column.type === 'text' ? `left(${value}, ${maxFacetText})` : value)
  return `SELECT count(*) - count(v), ${distinct}, ${cut('min(v)')}, ${cut('max(v)')} FROM (${valuesOf(parts, column)})`
}

/** A row for each of the most frequent values: the value, and how many rows have it. */
export function frequentValues(parts: readonly FacetPart[], column: UnionColumn, limit: number): string {
  const short = column.type === 'text' ? ` AND length(v) <= ${maxFacetText}` : ''
  return `SELECT v, count(*) AS rows FROM (${valuesOf(parts, column)}) WHERE v IS NOT NULL${short}
    GROUP BY v ORDER BY rows DESC, v LIMIT ${limit}`
}

/** As for the condition `column=`, an empty text is a missing value. */
function valuesOf(parts: readonly FacetPart[], column: UnionColumn): string {
  return unionOf(parts, (part) => {
    const value = columnExpression(part, column)
    return column.type === 'text' ? `nullif(${value}, '')` : value
  })
}

function unionOf(parts: readonly FacetPart[], valueIn: (part: StoredImport) => string): string {
  return parts
    .map(({ part, condition }) => {
      const where = condition === undefined ? '' : ` WHERE ${condition}`
      return `SELECT ${valueIn(part)} AS v FROM ${sourceOf(part)}${where}`
    })
    .join(' UNION ALL ')
}
