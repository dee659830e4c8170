import { ImportPage } from './import-page.js'
import { TableView } from './table.js'
import { AllTables } from './tables.js'

/** One table; or the import of a file, which the address names; or all tables. */
export default function TablesView({ table, query }: { table: string; query: URLSearchParams }) {
  const file = query.get('import')
  if (table !== '') return <TableView key={table} name={table} query={query} />
  if (file) return <ImportPage key={file} file={file} query={query} />
  return <AllTables sql={query.get('sql') ?? ''} />
}
