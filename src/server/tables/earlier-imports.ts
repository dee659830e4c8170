import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'
import type { ImportRecord, StoredImport } from '../stores/tables.js'

/** An import that was published, or is to be published with this one. */
export type EarlierImport = ImportRecord & Partial<Pick<StoredImport, 'id' | 'importedAt'>>

/** The bytes of a file; `sha256` is null if the server does not know it. */
interface SourceFile {
  readonly name: string
  readonly sha256: string | null
}

/** The type of each column in the newest import that had values in it. `imports` are newest first. */
export function earlierTypes(imports: readonly EarlierImport[]): Record<string, ColumnType> {
  const types: [string, ColumnType][] = []
  for (const { columns, rows } of imports.toReversed()) {
    for (const { name, type, nulls } of columns) if (nulls < rows) types.push([name, type])
  }
  return Object.fromEntries(types)
}

/** Throws `already-imported` if one of the imports is of the same bytes. */
export function refuseRepeated(table: string, imports: readonly EarlierImport[], file: SourceFile): void {
  const same = findSame(imports, file)
  if (!same) return
  const { name } = file
  const details = { name, table, import: same.id ?? null }
  throw new Problem('already-imported', `${name} was imported into ${table} already${placeOf(same)}.`, details)
}

/** A note if one of the imports is of the same bytes: its rows are now twice in the table. */
export function notesOnRepeated(table: string, imports: readonly EarlierImport[], file: SourceFile): string[] {
  const same = findSame(imports, file)
  if (!same) return []
  const undo = same.id === undefined ? '' : ` "filejobs tables rm ${table} ${same.id}" removes the earlier ones;`
  return [
    `These bytes were imported already${placeOf(same)}: their rows are twice in the table.${undo} "--once" (once) refuses that.`,
  ]
}

function findSame(imports: readonly EarlierImport[], { sha256 }: SourceFile): EarlierImport | undefined {
  return sha256 === null ? undefined : imports.find((each) => each.sha256 === sha256)
}

function placeOf({ id, file, importedAt }: EarlierImport): string {
  return id === undefined ? `, as ${file}` : ` as ${id} (${file}, ${importedAt?.slice(0, 10)})`
}
