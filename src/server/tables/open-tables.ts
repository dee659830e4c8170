import type { Closers } from '../closers.js'
import { type CollectionServices, Collections } from './collections.js'
import { type ImportServices, Imports } from './imports.js'
import { Queries, type QueryServices } from './queries.js'
import { queryProcess } from './query-task.js'
import { RowsEngine } from './rows-engine.js'
import { SpareProcesses } from './spare-processes.js'
import { type TableExportServices, TableExports } from './table-exports.js'
import { TableFacets } from './table-facets.js'
import { TableRows } from './table-rows.js'
import { TableSummaries } from './table-summaries.js'

/** What else the work with tables needs: everything but what this function makes. */
export type OpenTablesServices = Omit<ImportServices, 'start'> &
  Omit<QueryServices, 'start'> &
  Omit<TableExportServices, 'start' | 'rows'> &
  Omit<CollectionServices, 'imports'>

/** Imports, rows, queries and exports of tables, whose processes end with the server. */
export function openTables(services: OpenTablesServices, closers: Closers) {
  const { tables } = services
  const rowsEngine = closers.opened(new RowsEngine(tables.folder))
  const { start } = closers.opened(new SpareProcesses({ kinds: [queryProcess(tables.folder)] }))
  const tableRows = new TableRows(rowsEngine, tables)
  const imports = new Imports({ ...services, start })
  return {
    imports,
    collections: new Collections({ ...services, imports }),
    tableRows,
    tableFacets: new TableFacets(rowsEngine, tables),
    tableSummaries: new TableSummaries(rowsEngine, tables),
    tableExports: new TableExports({ ...services, rows: tableRows, start }),
    queries: new Queries({ ...services, start }),
  }
}
