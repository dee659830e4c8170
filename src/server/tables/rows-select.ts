import { Problem } from '../../protocol/problems.js'
import type { StoredTable } from '../stores/tables.js'
import type { RowCondition } from './row-conditions.js'
import { inOrder, lineNumber, type RowStyle, selectList, sourceOf } from './rows-sql.js'
import { quoteName } from './sql-text.js'
import { columnExpression, type UnionColumn, unionColumns } from './union.js'

/** Which columns of rows are wanted, and in which order. */
export interface RowShape {
  /** Names, separated by commas; default: all. */
  columns?: string | undefined
  /** Names, separated by commas, each after a `-` for the greatest values first; default: the order of the files. */
  sort?: string | undefined
}

export interface SortKey {
  readonly column: UnionColumn
  readonly isDescending: boolean
}

/** Throws `invalid-request` for a name that there is not. */
export function parseColumns(table: StoredTable, { columns: text }: RowShape): UnionColumn[] {
  const columns = unionColumns(table)
  if (text === undefined) return columns
  const found = namesIn(columns, text).map((name) => findColumn(columns, name, 'columns'))
  const twice = found.find((column, at) => found.indexOf(column) < at)
  if (twice) throw invalid('columns', `"${twice.name}" is there twice`)
  return found
}

/** Throws `invalid-request` for a name that there is not. */
export function parseSort(table: StoredTable, { sort: text }: RowShape): SortKey[] {
  if (text === undefined) return []
  const columns = unionColumns(table)
  return namesIn(columns, text).map((name) => {
    const isWhole = columns.some((column) => column.name.toLowerCase() === name.toLowerCase())
    const isDescending = !isWhole && name.startsWith('-')
    return { column: findColumn(columns, isDescending ? name.slice(1) : name, 'sort'), isDescending }
  })
}

/** One SELECT of all matching rows under the names of their columns. Missing values come last. */
export function selectRows(
  table: StoredTable,
  columns: readonly UnionColumn[],
  condition: RowCondition | undefined,
  { sort, style }: { sort: readonly SortKey[]; style: RowStyle },
): string {
  const parts = inOrder(table, 'file').flatMap((part, index) => {
    const own = condition?.in(part)
    if (own === null) return []
    const keys = sort.map(({ column }, at) => `${columnExpression(part, column)} AS k${at}`)
    const values = selectList(part, [...columns], style, (_, at) => ` AS v${at}`)
    const list = [values, ...keys, `${index} AS part`, `${lineNumber} AS line`].join(', ')
    return `SELECT ${list} FROM ${sourceOf(part)}${own === undefined ? '' : ` WHERE ${own}`}`
  })
  const names = columns.map(({ name }, at) => `v${at} AS ${quoteName(name)}`)
  if (style.moment) names.push(`v${columns.length}`)
  const keys = sort.map(({ isDescending }, at) => `k${at} ${isDescending ? 'DESC' : 'ASC'} NULLS LAST`)
  const order = keys.length === 0 ? '' : ` ORDER BY ${[...keys, 'part', 'line'].join(', ')}`
  if (parts.length > 0) return `SELECT ${names.join(', ')} FROM (${parts.join(' UNION ALL ')})${order}`
  const [any] = table.imports
  return `SELECT ${columns.map((column) => `${columnExpression(any!, column)} AS ${quoteName(column.name)}`).join(', ')}
    FROM ${sourceOf(any!)} WHERE false`
}

/** A name may have commas in it, if it is the only one. */
function namesIn(columns: readonly UnionColumn[], text: string): string[] {
  const isOne = columns.some(({ name }) => [name, `-${name}`].some((each) => each.toLowerCase() === text.toLowerCase()))
  return isOne ? [text] : text.split(',').map((name) => name.trim())
}

function findColumn(columns: readonly UnionColumn[], name: string, field: string): UnionColumn {
  const found = columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
  if (!found) throw invalid(field, `There is no column "${name}" in the table`)
  return found
}

function invalid(field: string, reason: string): Problem {
  return new Problem('invalid-request', `${field}: ${reason}.`, { field })
}
