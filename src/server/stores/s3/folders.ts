import { faultOfName } from '../../../protocol/file-name.js'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import type { FileLines, Folders, Level, LevelQuery } from '../folders.js'
import { belowFile } from '../local/file-paths.js'
import type { Database, Transaction } from '../postgres/database.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import {
  accountOf,
  type FileRow,
  fileColumns,
  findFiles,
  findFolders,
  foldersOf,
  keepFolders,
  lockFiles,
  namePathOf,
  storedFileOf,
  withPrefix,
} from './file-rows.js'
import { readStoredLevel } from './folder-level.js'
import { discardPublished } from './objects.js'

/** Folders as the prefixes of names, and as rows where they were created. */
export class BucketFolders implements Folders {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  list(space: Space, query: LevelQuery): Promise<Level> {
    return readStoredLevel(this.#database, accountOf(space), query)
  }

  async records(space: Space, { prefix, after }: { prefix: string; after: string }): Promise<FileLines> {
    const sql = this.#database
    const rows = await sql<FileRow[]>`
      select ${fileColumns(sql)} from files
      where account = ${accountOf(space)} and ${withPrefix(sql, prefix)} and path > ${namePathOf(after)}
      order by path limit ${recordsAtOnce}`
    const lines = rows.map((row) => {
      const { name, size, sha256, type, uploadedAt } = storedFileOf(row)
      return `${JSON.stringify({ name, size, sha256, type, uploadedAt })}\n`
    })
    return { lines: Buffer.from(lines.join('')), last: rows.length < recordsAtOnce ? null : rows.at(-1)!.name }
  }

  async exists(space: Space, folder: string): Promise<boolean> {
    return this.#database.begin((sql) => exists(sql, accountOf(space), folder))
  }

  async create(space: Space, folder: string): Promise<boolean> {
    const account = accountOf(space)
    return this.#change(account, async (sql) => {
      const isThere = await exists(sql, account, folder)
      if (!isThere) await checkFree(sql, account, folder)
      await keepFolders(sql, account, [folder])
      return !isThere
    })
  }

  async remove(
    space: Space,
    folder: string,
    { precondition, onlyEmpty = false }: Parameters<Folders['remove']>[2] = {},
  ): Promise<boolean> {
    const account = accountOf(space)
    return this.#change(account, async (sql) => {
      if (!(await exists(sql, account, folder))) return false
      checkPrecondition(validatorsOf(folder), precondition)
      const within = sql`account = ${account} and ${withPrefix(sql, folder)}`
      const gone = await sql<{ content: string }[]>`delete from files where ${within} returning content`
      const kept = await sql<{ name: string }[]>`delete from kept_folders where ${within} returning name`
      if (onlyEmpty && (gone.length > 0 || kept.some(({ name }) => name !== folder))) throw notEmpty(folder)
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
      return true
    })
  }

  async move(space: Space, from: string, to: string, precondition?: Precondition): Promise<void> {
    const account = accountOf(space)
    if (to.startsWith(from)) throw new Problem('name-conflict', `"${from}" cannot be moved into itself.`, { name: to })
    await this.#change(account, async (sql) => {
      if (!(await exists(sql, account, from))) {
        throw new Problem('file-not-found', `There is no folder "${from}".`, { name: from })
      }
      checkPrecondition(validatorsOf(from), precondition)
      await checkFree(sql, account, to)
      if (await exists(sql, account, to)) throw isTaken(to)
      await checkLengths(sql, account, from, to)
      const within = sql`account = ${account} and ${withPrefix(sql, from)}`
      const moved = sql`
        path = ${namePathOf(to)}::bytea || substring(path from ${namePathOf(from).length + 1}::int),
        name = ${to} || substring(name from ${lengthOf(from) + 1}::int)`
      await sql`
        update files set ${moved}, folded = ${to.toLowerCase()} || substring(folded from ${lengthOf(from.toLowerCase()) + 1}::int)
        where ${within}`
      await sql`update kept_folders set ${moved} where ${within}`
    })
  }

  async #change<Result>(account: string, work: (sql: Transaction) => Promise<Result>): Promise<Result> {
    const { result } = await this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      return { result: await work(sql) }
    })
    return result
  }
}

async function exists(sql: Transaction, account: string, folder: string): Promise<boolean> {
  return (await findFolders(sql, account, [nameOf(folder)])).size > 0
}

/** Throws if the name is a file, or lies below one. */
async function checkFree(sql: Transaction, account: string, folder: string): Promise<void> {
  const files = await findFiles(sql, account, foldersOf(folder))
  if (files.has(nameOf(folder))) throw isTaken(folder)
  if (files.size > 0) throw belowFile(folder)
}

/** Names below the new one must not become too long. */
async function checkLengths(sql: Transaction, account: string, from: string, to: string): Promise<void> {
  const within = sql`account = ${account} and ${withPrefix(sql, from)}`
  const [longest] = await sql<{ name: string }[]>`
    select name from (select name from files where ${within} union all select rtrim(name, '/') from kept_folders where ${within})
      as below
    order by octet_length(name) desc limit 1`
  const fault = longest && faultOfName(to + longest.name.slice(from.length))
  if (fault === undefined || Buffer.byteLength(to) <= Buffer.byteLength(from)) return
  const message = `"${from}" cannot be moved to "${to}": a name in it then ${fault}.`
  throw new Problem('name-conflict', message, { name: to })
}

/** A folder exists, but has no entity tag and no date: `If-Match: *` holds. */
function validatorsOf(folder: string): { name: string; entityTag: string } {
  return { name: folder, entityTag: '' }
}

function nameOf(folder: string): string {
  return folder.slice(0, -1)
}

/** As the database counts. */
function lengthOf(text: string): number {
  return [...text].length
}

function isTaken(folder: string): Problem {
  return new Problem('name-conflict', `There is already something with the name "${nameOf(folder)}".`, { name: folder })
}

function notEmpty(folder: string): Problem {
  return new Problem('name-conflict', `"${folder}" is not empty.`, { name: folder })
}

const recordsAtOnce = 2000
