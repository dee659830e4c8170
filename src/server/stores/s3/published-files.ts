import pLimit from 'p-limit'
import { Problem } from '../../../protocol/problems.js'
import { lostFile } from '../damage.js'
import type { OpenFile, PublishedFiles, Space, StoredFile } from '../files.js'
import { belowFile, isFolder } from '../local/file-paths.js'
import type { Database } from '../postgres/database.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import { isMissingKey } from './bucket-errors.js'
import { copyContent } from './content-copy.js'
import { ContentReader } from './content-reader.js'
import {
  accountOf,
  type FileRow,
  fileColumns,
  findFiles,
  findFolders,
  findRow,
  foldersOf,
  lockFiles,
  namePathOf,
  pathsOf,
  storedFileOf,
  withPrefix,
} from './file-rows.js'
import { type ContentObject, discardPublished, type Objects } from './objects.js'

/** Files as rows, with their bytes in a bucket. */
export class BucketPublishedFiles implements PublishedFiles {
  readonly #database: Database
  readonly #objects: Objects
  readonly #smallReads = pLimit(16)

  constructor(database: Database, objects: Objects) {
    this.#database = database
    this.#objects = objects
  }

  async find(space: Space, name: string): Promise<StoredFile | undefined> {
    const row = await findRow(this.#database, accountOf(space), name)
    return row && storedFileOf(row)
  }

  async open(space: Space, name: string): Promise<OpenFile | undefined> {
    for (let attempt = 1; ; attempt++) {
      const file = await this.find(space, name)
      if (!file) return undefined
      const release = await this.#objects.keep(file.version)
      try {
        const objects = await this.#objects.list(file.version)
        // Replaced or removed meanwhile, and collected before this reader was known.
        const isWhole = objects.reduce((sum, { size }) => sum + size, 0) === file.size
        if (isWhole) return openContent(file, new ContentReader(this.#objects.bucket, objects), release)
        if (attempt === maxAttempts) throw new Error(`The rows of the objects of "${name}" are not complete.`)
      } catch (error) {
        await release()
        throw error
      }
      await release()
    }
  }

  async readSmall(space: Space, files: readonly StoredFile[]): Promise<(Uint8Array | undefined)[]> {
    const current = await this.findMany(
      space,
      files.map(({ name }) => name),
    )
    const versions = current.flatMap((file) => file?.version ?? [])
    const objects = await this.#objects.listMany(versions)
    return Promise.all(
      files.map(({ version }, index) => {
        const file = current[index]
        if (file?.version !== version) return undefined
        return this.#smallReads(() => this.#readWhole(file, objects.get(version) ?? []))
      }),
    )
  }

  async place(space: Space, name: string, path: string, signal: AbortSignal): Promise<StoredFile | undefined> {
    signal.throwIfAborted()
    const file = await this.open(space, name)
    if (!file) return undefined
    try {
      await copyContent(file, path, signal)
      return file.file
    } finally {
      await file.close()
    }
  }

  async list(
    space: Space,
    { prefix, after, limit, search = '' }: Parameters<PublishedFiles['list']>[1],
  ): Promise<StoredFile[]> {
    const sql = this.#database
    const rows = await sql<FileRow[]>`
      select ${fileColumns(sql)} from files
      where account = ${accountOf(space)} and ${withPrefix(sql, prefix)} and path > ${namePathOf(after)}
        and ${search === '' ? sql`true` : sql`position(${search.toLowerCase()} in folded) > 0`}
      order by path limit ${limit}`
    return rows.map(storedFileOf)
  }

  async findMany(space: Space, names: readonly string[]): Promise<(StoredFile | undefined)[]> {
    const sql = this.#database
    const rows = await sql<FileRow[]>`
      select ${fileColumns(sql)} from files where account = ${accountOf(space)} and path in ${pathsOf(sql, names)}`
    const found = new Map(rows.map((row) => [row.name, storedFileOf(row)]))
    return names.map((name) => found.get(name))
  }

  async listEmptyFolders(
    space: Space,
    { prefix, after, limit }: Parameters<PublishedFiles['listEmptyFolders']>[1],
  ): Promise<string[]> {
    const sql = this.#database
    const account = accountOf(space)
    const below = sql`
      account = ${account} and path > kept.path
      and path < substring(kept.path for length(kept.path) - 2) || decode('0030', 'hex')`
    const rows = await sql<{ name: string }[]>`
      select name from kept_folders as kept
      where account = ${account} and ${withPrefix(sql, prefix)} and path > ${namePathOf(after)}
        and not exists (select from files where ${below}) and not exists (select from kept_folders where ${below})
      order by path limit ${limit}`
    return rows.map(({ name }) => name)
  }

  async measure(space: Space, prefix: string): Promise<{ files: number; bytes: number }> {
    const sql = this.#database
    const [row] = await sql<{ files: number; bytes: number }[]>`
      select count(*)::bigint as files, coalesce(sum(size), 0)::bigint as bytes from files
      where account = ${accountOf(space)} and ${withPrefix(sql, prefix)}`
    return row!
  }

  async checkName(space: Space, name: string): Promise<void> {
    const account = accountOf(space)
    const database = this.#database
    const [files, folders] = await Promise.all([
      findFiles(database, account, foldersOf(name)),
      findFolders(database, account, [name]),
    ])
    if (files.size > 0) throw belowFile(name)
    if (folders.size > 0) throw isFolder(name)
  }

  async remove(space: Space, name: string, precondition?: Precondition): Promise<boolean> {
    const account = accountOf(space)
    return this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      const row = await findRow(sql, account, name)
      if (!row) return false
      checkPrecondition(storedFileOf(row), precondition)
      await sql`delete from files where account = ${account} and path = ${namePathOf(name)}`
      await discardPublished(sql, [row.content])
      return true
    })
  }

  async move(space: Space, from: string, to: string, precondition?: Precondition): Promise<StoredFile> {
    const account = accountOf(space)
    return this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      const row = await findRow(sql, account, from)
      if (!row) throw new Problem('file-not-found', `There is no file "${from}".`, { name: from })
      checkPrecondition(storedFileOf(row), precondition)
      const there = await findRow(sql, account, to)
      checkPrecondition(there && storedFileOf(there), { ifNoneMatch: '*' })
      if ((await findFiles(sql, account, foldersOf(to))).size > 0) throw belowFile(to)
      if ((await findFolders(sql, account, [to])).size > 0) throw isFolder(to)
      await sql`
        update files set path = ${namePathOf(to)}, name = ${to}, folded = ${to.toLowerCase()}
        where account = ${account} and path = ${namePathOf(from)}`
      return storedFileOf({ ...row, name: to })
    })
  }

  async usage(space: Space): Promise<number> {
    return (await this.measure(space, '')).bytes
  }

  async removeSpace(space: Space): Promise<void> {
    const account = accountOf(space)
    await this.#database.begin(async (sql) => {
      await lockFiles(sql, account)
      const gone = await sql<{ content: string }[]>`delete from files where account = ${account} returning content`
      await sql`delete from kept_folders where account = ${account}`
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
    })
  }

  async #readWhole({ size }: StoredFile, objects: ContentObject[]): Promise<Uint8Array | undefined> {
    const reader = new ContentReader(this.#objects.bucket, objects)
    const bytes = Buffer.allocUnsafe(size)
    try {
      // Fewer if it was removed meanwhile.
      return (await reader.read(bytes, 0)) === size ? bytes : undefined
    } catch (error) {
      if (isMissingKey(error)) return undefined
      throw error
    } finally {
      reader.close()
    }
  }
}

function openContent(file: StoredFile, reader: ContentReader, release: () => Promise<void>): OpenFile {
  let isClosed = false
  return {
    file,
    read: (buffer, position) =>
      reader.read(buffer, position).catch((error) => {
        throw isMissingKey(error) ? lostFile(file.name, error) : error
      }),
    isUnchanged: async () => true,
    async close() {
      if (isClosed) return
      isClosed = true
      reader.close()
      await release()
    },
  }
}

const maxAttempts = 3
