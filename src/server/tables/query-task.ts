import type { StoredTable } from '../stores/tables.js'
import type { ChildOptions } from './child.js'
import type { QueryTask } from './query-messages.js'
import { quoteName, quoteText } from './sql-text.js'
import { columnExpression, unionColumns } from './union.js'

export interface QueryTaskOptions {
  sql: string
  /** All tables of the account; it can read nothing else. */
  tables: StoredTable[]
  /** The most rows to answer. */
  maxRows: number
}

const maxAnswerBytes = 8 * 1024 ** 2
const memoryBytes = 256 * 1024 ** 2
/** With what node and the engine's own code take. */
const processMemoryBytes = 1024 ** 3

/** The process of a query. `folder` is what the paths of tables are relative to. */
export function queryProcess(folder: string): ChildOptions {
  return { script: './query-child.js', folder, memoryBytes: processMemoryBytes }
}

/** The task for the process of a query. */
export function queryTask({ sql, tables, maxRows }: QueryTaskOptions): QueryTask {
  return { ...engineTask(sql, tables), maxRows, maxBytes: maxAnswerBytes }
}

/** What the process of any SELECT gets. */
export function engineTask(sql: string, tables: readonly StoredTable[]) {
  return {
    sql,
    tables: tables.map((table) => ({
      name: table.name,
      select: viewOf(table),
      paths: table.imports.map((i) => i.path),
    })),
    memoryBytes,
    threads: 1,
  }
}

/** What a query sees of a table: its imports' rows under the names of its columns. */
function viewOf(table: StoredTable): string {
  const columns = unionColumns(table)
  const parts = table.imports.map((part) => {
    const list = columns.map((column) => `${columnExpression(part, column)} AS ${quoteName(column.name)}`)
    return `SELECT ${list.join(', ')} FROM read_parquet(${quoteText(part.path)})`
  })
  return parts.join(' UNION ALL ')
}
