import { Problem } from '../../protocol/problems.js'
import type { ImportEdit, StoredTable } from '../stores/tables.js'

/**
 * The imports of a table in which a column, compared without case, has another name from then on. Throws `column-not-found`, and
 * `name-taken` if another column has the name.
 */
export function renameColumn({ name: table, imports }: StoredTable, from: string, to: string): ImportEdit[] {
  const isNamed = (text: string, name: string) => text.toLowerCase() === name.toLowerCase()
  const has = (name: string) => imports.some(({ columns }) => columns.some((column) => isNamed(column.name, name)))
  if (!has(from))
    throw new Problem('column-not-found', `There is no column "${from}" in ${table}.`, { table, column: from })
  if (!isNamed(from, to) && has(to)) {
    throw new Problem('name-taken', `There is a column "${to}" in ${table} already.`, { table, column: to })
  }
  const renamed = (name: string) => (isNamed(name, from) ? to : name)
  return imports.map(({ id, columns, dateColumn }) => ({
    id,
    columns: columns.map((column) => ({ ...column, name: renamed(column.name) })),
    dateColumn: dateColumn === null ? null : renamed(dateColumn),
  }))
}
