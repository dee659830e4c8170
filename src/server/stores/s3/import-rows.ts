import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import type { ImportEdit, ImportRecord, StoredImport, StoredTable } from '../tables.js'

interface ImportRow {
  id: number
  content: string
  importedAt: Date
  record: ImportRecord
}

interface TableRow extends ImportRow {
  name: string
  changedAt: Date
}

/** The names in the cache: each content is under one that is used once. */
export function pathOfContent(content: string): string {
  return `${content}.parquet`
}

export function contentOfPath(path: string): string {
  return path.slice(0, -'.parquet'.length)
}

/** Changes to the tables of an account happen one after the other, on all servers. */
export async function lockTables(sql: Transaction, account: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ' tables ' || ${account}, 0))`
}

/** All of an account, or the one with this name; sorted by name. */
export async function readTables(sql: Database | Transaction, account: string, name?: string): Promise<StoredTable[]> {
  const rows = await sql<TableRow[]>`
    select imports.id, content, imported_at, record, name, changed_at
    from stored_tables join imports on imports.account = stored_tables.account and table_name = name
    where stored_tables.account = ${account} and ${name === undefined ? sql`true` : sql`name = ${name}`}
    order by id desc`
  const found = new Map<string, StoredTable>()
  for (const row of rows) {
    const table = found.get(row.name)
    if (table) table.imports.push(importOf(row))
    else {
      const { name, changedAt } = row
      found.set(name, { name, owner: account, imports: [importOf(row)], changedAt: changedAt.getTime() })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export async function addImport(
  sql: Transaction,
  { account, table, content, size, record }: AddedImport,
): Promise<StoredImport> {
  await sql`
    insert into stored_tables (account, name, changed_at) values (${account}, ${table}, clock_timestamp())
    on conflict (account, name) do update set changed_at = clock_timestamp()`
  const [row] = await sql<ImportRow[]>`
    insert into imports (account, table_name, content, size, imported_at, record)
    values (${account}, ${table}, ${content}, ${size}, date_trunc('milliseconds', clock_timestamp()),
      ${jsonText(record)}::text::json)
    returning id, content, imported_at, record`
  return importOf(row!)
}

/** Removes all imports of a table, which then has to get others. Returns their contents. */
export async function removeImports(sql: Transaction, account: string, table: string): Promise<string[]> {
  const gone = await sql<{ content: string }[]>`
    delete from imports where account = ${account} and table_name = ${table} returning content`
  return gone.map(({ content }) => content)
}

export async function editImports(
  sql: Transaction,
  { name, owner, imports }: StoredTable,
  edits: readonly ImportEdit[],
): Promise<void> {
  for (const edit of edits) {
    const { id, path: _, importedAt: __, ...record } = { ...imports.find((each) => each.id === edit.id)!, ...edit }
    await sql`update imports set record = ${jsonText(record)}::text::json where id = ${id}`
  }
  await sql`update stored_tables set changed_at = clock_timestamp() where account = ${owner} and name = ${name}`
}

export async function renameTable(sql: Transaction, { name, owner }: StoredTable, to: string): Promise<void> {
  await sql`insert into stored_tables (account, name, changed_at) values (${owner}, ${to}, clock_timestamp())`
  await sql`update imports set table_name = ${to} where account = ${owner} and table_name = ${name}`
  await sql`delete from stored_tables where account = ${owner} and name = ${name}`
}

export interface AddedImport {
  account: string
  table: string
  content: string
  size: number
  record: ImportRecord
}

/** The published import of a content. */
export async function findImport(sql: Database, content: string): Promise<StoredImport | undefined> {
  const [row] = await sql<ImportRow[]>`
    select id, content, imported_at, record from imports where content = ${content}`
  return row && importOf(row)
}

function importOf({ id, content, importedAt, record }: ImportRow): StoredImport {
  return { ...record, id, importedAt: importedAt.toISOString(), path: pathOfContent(content) }
}
