import type { TableImport, TableRecord } from '../../protocol/tables.js'
import type { StoredImport, StoredTable } from '../stores/tables.js'
import { dateColumnOf, unionColumns } from '../tables/union.js'

/** An import as clients see it. */
export function importRecord(stored: StoredImport): TableImport {
  const { id, file, sha256, rows, dateColumn, skipped, notes, importedAt } = stored
  const columns = stored.columns.map(({ name, type }) => ({ name, type }))
  return { id, file, sha256, rows, columns, dateColumn, skipped, notes, importedAt }
}

/** A table as clients see it. */
export function tableRecord(table: StoredTable): TableRecord {
  return {
    name: table.name,
    rows: table.imports.reduce((sum, { rows }) => sum + rows, 0),
    columns: unionColumns(table),
    dateColumn: dateColumnOf(table),
    imports: table.imports.map(importRecord),
  }
}
