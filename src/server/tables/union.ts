import type { ColumnType } from '../../protocol/tables.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { engineType } from './column-types.js'

/** A column of a table: the union of its imports' columns, as text if their types differ. */
export interface UnionColumn {
  readonly name: string
  readonly type: ColumnType
}

/** The newest import's columns first, then those of older ones only. */
export function unionColumns({ imports }: Pick<StoredTable, 'imports'>): UnionColumn[] {
  const types = new Map<string, UnionColumn>()
  for (const { columns } of imports) {
    for (const { name, type } of columns) {
      // The engine's names are case-insensitive.
      const key = name.toLowerCase()
      const known = types.get(key)
      if (!known) types.set(key, { name, type })
      else if (known.type !== type) types.set(key, { name: known.name, type: 'text' })
    }
  }
  return [...types.values()]
}

/** The import's own column of that name, and its index in the Parquet file. */
export function findColumn({ columns }: Pick<StoredImport, 'columns'>, name: string) {
  const at = columns.findIndex((column) => column.name.toLowerCase() === name.toLowerCase())
  const column = columns[at]
  return column && { ...column, field: `c${at}` }
}

/** An import's value for a column of the union. */
export function columnExpression(part: StoredImport, { name, type }: UnionColumn): string {
  const column = findColumn(part, name)
  if (!column) return `CAST(NULL AS ${engineType(type)})`
  return column.type === type ? column.field : `CAST(${column.field} AS VARCHAR)`
}

/** The table's date column: that of the newest import that has one. */
export function dateColumnOf({ imports }: Pick<StoredTable, 'imports'>): string | null {
  return imports.find(({ dateColumn }) => dateColumn !== null)?.dateColumn ?? null
}
