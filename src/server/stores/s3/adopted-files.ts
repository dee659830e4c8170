import type { Space } from '../files.js'
import type { Database } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import { accountOf, type FileRow, fileColumns, keepFolders, lockFiles, namePathOf, pathsOf } from './file-rows.js'
import { discardPublished, discardUnpublished, publishContents } from './objects.js'

/** Files that come from elsewhere with their dates, while no server uses the database. */
export class AdoptedFiles {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** The files of an account with names after `after`, up to and including `last`; null means all. */
  async find(space: Space, after: string, last: string | null): Promise<Map<string, FileRow>> {
    const sql = this.#database
    const rows = await sql<FileRow[]>`
      select ${fileColumns(sql)} from files
      where account = ${accountOf(space)} and path > ${namePathOf(after)}
        and ${last === null ? sql`true` : sql`path <= ${namePathOf(last)}`}`
    return new Map(rows.map((row) => [row.name, row]))
  }

  /** Publishes files, whose contents are stored, and removes others, in one step. */
  async replace(space: Space, { add, remove }: { add: readonly FileRow[]; remove: readonly string[] }): Promise<void> {
    const account = accountOf(space)
    const names = [...add.map(({ name }) => name), ...remove]
    const rows = add.map((row) => ({
      ...row,
      path: namePathOf(row.name).toString('hex'),
      folded: row.name.toLowerCase(),
    }))
    if (names.length === 0) return
    await this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      const gone = await sql<{ content: string }[]>`
        delete from files where account = ${account} and path in ${pathsOf(sql, names)} returning content`
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
      await sql`
        insert into files (account, path, name, folded, content, size, sha256, type, published_at, is_date_strong)
        select ${account}, decode(path, 'hex'), name, folded, content, size, sha256, type, "publishedAt", "isDateStrong"
        from json_to_recordset(${jsonText(rows)}::text::json) as file (
          path text, name text, folded text, content text, size bigint, sha256 text, type text, "publishedAt" timestamptz,
          "isDateStrong" boolean)`
      await publishContents(sql, new Map(add.map(({ content, size }) => [content, size])))
    })
  }

  /** Replaces the folders of an account that are kept while they are empty. */
  async replaceFolders(space: Space, folders: readonly string[]): Promise<void> {
    const account = accountOf(space)
    await this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      await sql`delete from kept_folders where account = ${account}`
      await keepFolders(sql, account, folders)
    })
  }

  /** Removes the files of all accounts but these. Returns the number of files. */
  async removeOthers(spaces: readonly Space[]): Promise<number> {
    const accounts = spaces.map(accountOf)
    return this.#database.begin(async (sql) => {
      const gone = await sql<{ content: string }[]>`
        delete from files where not account = any(${accounts}) returning content`
      await sql`delete from kept_folders where not account = any(${accounts})`
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
      return gone.length
    })
  }

  /** Makes the content of a file that is not published garbage. */
  async discard(content: string): Promise<void> {
    await discardUnpublished(this.#database, [content])
  }
}
