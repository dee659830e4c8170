import type { TableImport, TableRecord } from '../../../protocol/tables.js'
import type { Validators } from '../../stores/precondition.js'
import type { StoredImport, StoredTable } from '../../stores/tables.js'
import { dateColumnOf, unionColumns } from '../../tables/union.js'
import { entityTagOf } from './validators.js'

/** An import for clients. */
export function importRecord(stored: StoredImport): TableImport {
  const { id, file, sha256, rows, dateColumn, skipped, notes, importedAt } = stored
  const columns = stored.columns.map(({ name, type }) => ({ name, type }))
  return { id, file, sha256, rows, columns, dateColumn, skipped, notes, importedAt }
}

/**
 * Identifies a response about a table: by its imports, whose ids are never reused, and by
 * `view`, which distinguishes the responses of one address.
 */
export function tableValidators(table: StoredTable, view: unknown = null): Required<Validators> {
  const identity = JSON.stringify([table.name, table.imports.map(contentOf), view])
  return { entityTag: entityTagOf(identity), lastModified: table.changedAt }
}

/** The names of columns are all that can change of an import. */
function contentOf({ id, columns }: StoredImport) {
  return [id, ...columns.map(({ name }) => name)]
}

/** A table for clients. */
export function tableRecord(table: StoredTable): TableRecord {
  return {
    name: table.name,
    rows: table.imports.reduce((sum, { rows }) => sum + rows, 0),
    columns: unionColumns(table),
    dateColumn: dateColumnOf(table),
    imports: table.imports.map(importRecord),
  }
}
