import type { Space } from '../files.js'
import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import type { ImportRecord } from '../tables.js'
import { accountOf } from './file-rows.js'
import { lockTables } from './import-rows.js'
import { discardPublished, publishContents } from './objects.js'

export interface AdoptedTable {
  name: string
  /** Milliseconds since 1970. */
  changedAt: number
  imports: AdoptedImport[]
}

export interface AdoptedImport {
  id: number
  importedAt: string
  content: string
  /** Of the content. */
  size: number
  record: ImportRecord
}

/** Tables that come from elsewhere with their ids and dates, while no server uses the database. */
export class AdoptedTables {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The imports of a table by their ids. */
  async find(space: Space, name: string): Promise<Map<number, AdoptedImport>> {
    const rows = await this.#database<(Omit<AdoptedImport, 'importedAt'> & { importedAt: Date })[]>`
      select id, imported_at, content, size, record from imports
      where account = ${accountOf(space)} and table_name = ${name}`
    return new Map(rows.map((row) => [row.id, { ...row, importedAt: row.importedAt.toISOString() }]))
  }

  /** Replaces a table, whose contents are stored, in one step. */
  async replace(space: Space, { name, changedAt, imports }: AdoptedTable): Promise<void> {
    const account = accountOf(space)
    const kept = imports.map(({ content }) => content)
    await this.#database.begin(async (sql) => {
      await lockTables(sql, account)
      const gone = await sql<{ content: string }[]>`
        delete from imports where account = ${account} and table_name = ${name} returning content`
      const before = gone.map(({ content }) => content)
      await discardPublished(
        sql,
        before.filter((content) => !kept.includes(content)),
      )
      await sql`
        insert into stored_tables values (${account}, ${name}, ${new Date(changedAt)})
        on conflict (account, name) do update set changed_at = excluded.changed_at`
      await sql`
        insert into imports (id, account, table_name, content, size, imported_at, record)
        select id, ${account}, ${name}, content, size, "importedAt", record
        from json_to_recordset(${jsonText(imports)}::text::json) as import (
          id bigint, content text, size bigint, "importedAt" timestamptz, record json)`
      const added = imports.filter(({ content }) => !before.includes(content))
      await publishContents(sql, new Map(added.map(({ content, size }) => [content, size])))
    })
  }

  /** Removes the tables of an account but those with these names. */
  async removeOthers(space: Space, names: readonly string[]): Promise<void> {
    await this.#database.begin(async (sql) => {
      const account = accountOf(space)
      await removeTables(sql, sql`account = ${account} and not name = any(${[...names]})`)
    })
  }

  /** Removes the tables of all accounts but these. Ids of new imports follow `lastId`, and all that there are. */
  async finish(spaces: readonly Space[], lastId: number): Promise<void> {
    await this.#database.begin(async (sql) => {
      await removeTables(sql, sql`not account = any(${spaces.map(accountOf)})`)
      await sql`
        select setval(pg_get_serial_sequence('imports', 'id'),
          greatest(${lastId}, (select coalesce(max(id), 0) from imports)) + 1, false)`
    })
  }
}

async function removeTables(sql: Transaction, which: ReturnType<Transaction>): Promise<void> {
  const gone = await sql<{ content: string }[]>`
    select content from imports join (select account, name from stored_tables where ${which}) as gone
      on imports.account = gone.account and table_name = name`
  await sql`delete from stored_tables where ${which}`
  await discardPublished(
    sql,
    gone.map(({ content }) => content),
  )
}
