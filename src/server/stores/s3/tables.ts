import { randomUUID } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import { findTableLeftovers, stageImport } from '../local/staged-imports.js'
import type { Database, Transaction } from '../postgres/database.js'
import { tableNameTaken } from '../table-name-taken.js'
import type {
  ImportEdit,
  NewImport,
  StagedImport,
  StoredImport,
  StoredTable,
  TableLeftover,
  TableStore,
} from '../tables.js'
import { copyContent } from './content-copy.js'
import type { ContentDigests } from './content-digests.js'
import { ContentReader } from './content-reader.js'
import { FileCache } from './file-cache.js'
import { accountOf } from './file-rows.js'
import {
  type AddedImport,
  addImport,
  contentOfPath,
  editImports,
  findImport,
  lockTables,
  readTables,
  removeImports,
  renameTable,
} from './import-rows.js'
import { discardPublished, discardUnpublished, Objects, type ObjectsOptions, publishContents } from './objects.js'
import { storeFile } from './stored-file.js'

export interface BucketTablesOptions extends ObjectsOptions {
  /** An empty folder of this server, which may be lost at any time. */
  scratch: string
  /** Bytes of unused Parquet files that are kept on this machine. */
  cacheBytes: number
  digests: Pick<ContentDigests, 'open'>
}

/** Tables as rows, and their Parquet files in a bucket, read from copies on this machine. */
export async function openBucketTables(database: Database, options: BucketTablesOptions): Promise<TableStore> {
  const [folder, imports] = [join(options.scratch, 'tables'), join(options.scratch, 'imports')]
  for (const path of [folder, imports]) await mkdir(path, { recursive: true, mode: 0o700 })
  return new BucketTables(database, { ...options, folder, imports })
}

interface Prepared {
  content: string
  size: number
}

class BucketTables implements TableStore {
  readonly folder: string
  readonly #database: Database
  readonly #objects: Objects
  readonly #digests: Pick<ContentDigests, 'open'>
  readonly #imports: string
  readonly #cache: FileCache
  readonly #downloads = pLimit(4)
  /** Contents of staged imports, which are stored but not published. */
  readonly #prepared = new Map<string, Prepared>()

  constructor(database: Database, options: BucketTablesOptions & { folder: string; imports: string }) {
    const { folder, imports, cacheBytes } = options
    this.folder = folder
    this.#database = database
    this.#objects = new Objects(database, options)
    this.#digests = options.digests
    this.#imports = imports
    this.#cache = new FileCache({ folder, maxBytes: cacheBytes })
  }

  list(space: Space): Promise<StoredTable[]> {
    return readTables(this.#database, accountOf(space))
  }

  async find(space: Space, table: string): Promise<StoredTable | undefined> {
    return (await readTables(this.#database, accountOf(space), table))[0]
  }

  async ready(imports: StoredImport[], signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    const using = imports.map(({ path, bytes }) => {
      const fetch = (place: string, wanted: AbortSignal) =>
        this.#downloads(() => this.#fetch({ content: contentOfPath(path), size: bytes }, place, wanted))
      return this.#cache.use(path, { bytes, fetch }, signal)
    })
    const used = await Promise.allSettled(using)
    const release = () => {
      for (const use of used) if (use.status === 'fulfilled') use.value()
    }
    for (const use of used) {
      if (use.status === 'fulfilled') continue
      release()
      throw use.reason
    }
    return release
  }

  stage(id: string): StagedImport {
    const staged = stageImport(this.#imports, id)
    return {
      ...staged,
      prepare: async (signal) => void (await this.#prepare(staged, signal)),
      remove: async () => {
        const prepared = this.#prepared.get(staged.output)
        this.#prepared.delete(staged.output)
        if (prepared) await discardUnpublished(this.#database, [prepared.content])
        await staged.remove()
      },
    }
  }

  async publish(
    imports: readonly NewImport[],
    space: Space,
    table: string,
    { replaces = false }: { replaces?: boolean } = {},
  ): Promise<StoredImport[]> {
    const account = accountOf(space)
    const added: AddedImport[] = []
    for (const { staged, record } of imports) {
      const prepared = this.#prepared.get(staged.output) ?? (await this.#prepare(staged))
      added.push({ account, table, ...prepared, record })
    }
    const published = await this.#publish(added, replaces)
    for (const [at, { staged }] of imports.entries()) {
      this.#prepared.delete(staged.output)
      // Saves a later download. Failures are ignored, because it is only a copy.
      const { path, bytes } = published[at]!
      await this.#cache.adopt(path, join(staged.folder, staged.output), bytes).catch(() => {})
    }
    return published
  }

  async edit(space: Space, table: string, edit: (table: StoredTable) => readonly ImportEdit[]): Promise<boolean> {
    return this.#change(space, async (sql, account) => {
      const [there] = await readTables(sql, account, table)
      if (!there) return false
      await editImports(sql, there, edit(there))
      return true
    })
  }

  async rename(
    space: Space,
    table: string,
    to: string,
    check: (table: StoredTable) => void = () => {},
  ): Promise<boolean> {
    return this.#change(space, async (sql, account) => {
      const [there] = await readTables(sql, account, table)
      if (!there) return false
      check(there)
      if ((await readTables(sql, account, to)).length > 0) throw tableNameTaken(to)
      await renameTable(sql, there, to)
      return true
    })
  }

  async removeImport(space: Space, table: string, id: number): Promise<boolean> {
    return this.#change(space, async (sql, account) => {
      const gone = await sql<{ content: string }[]>`
        delete from imports where account = ${account} and table_name = ${table} and id = ${id} returning content`
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
      if (gone.length === 0) return false
      const others = await sql`
        update stored_tables set changed_at = clock_timestamp()
        where account = ${account} and name = ${table}
          and exists (select from imports where account = ${account} and table_name = ${table}) returning name`
      if (others.length === 0) await sql`delete from stored_tables where account = ${account} and name = ${table}`
      return true
    })
  }

  async remove(space: Space, table: string, check: (table: StoredTable) => void = () => {}): Promise<boolean> {
    return this.#change(space, async (sql, account) => {
      const [there] = await readTables(sql, account, table)
      if (!there) return false
      check(there)
      await discardPublished(
        sql,
        there.imports.map(({ path }) => contentOfPath(path)),
      )
      await sql`delete from stored_tables where account = ${account} and name = ${table}`
      return true
    })
  }

  async usage(space: Space): Promise<number> {
    const [row] = await this.#database<{ bytes: number }[]>`
      select coalesce(sum(size), 0)::bigint as bytes from imports where account = ${accountOf(space)}`
    return row!.bytes
  }

  async removeSpace(space: Space): Promise<void> {
    await this.#change(space, async (sql, account) => {
      const gone = await sql<{ content: string }[]>`delete from imports where account = ${account} returning content`
      await sql`delete from stored_tables where account = ${account}`
      await discardPublished(
        sql,
        gone.map(({ content }) => content),
      )
    })
  }

  findLeftovers(): Promise<TableLeftover[]> {
    return findTableLeftovers({ tables: this.folder, partial: this.#imports })
  }

  async removeLeftover({ path }: TableLeftover): Promise<void> {
    await rm(path, { force: true })
  }

  async #change<Result>(space: Space, work: (sql: Transaction, account: string) => Promise<Result>): Promise<Result> {
    const account = accountOf(space)
    const { result } = await this.#database.begin(async (sql) => {
      await lockTables(sql, account)
      return { result: await work(sql, account) }
    })
    return result
  }

  async #prepare(staged: Omit<StagedImport, 'prepare'>, signal?: AbortSignal): Promise<Prepared> {
    const content = randomUUID()
    try {
      const prepared = { content, size: await this.#store(content, join(staged.folder, staged.output), signal) }
      this.#prepared.set(staged.output, prepared)
      return prepared
    } catch (error) {
      await discardUnpublished(this.#database, [content])
      throw error
    }
  }

  async #store(content: string, path: string, signal?: AbortSignal): Promise<number> {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      await storeFile({ objects: this.#objects, digests: this.#digests }, file, { content, size, signal })
      return size
    } finally {
      await file.close()
    }
  }

  async #publish(added: readonly AddedImport[], replaces: boolean): Promise<StoredImport[]> {
    const { account, table } = added[0]!
    try {
      return await this.#database.begin(async (sql) => {
        await lockTables(sql, account)
        if (replaces) await discardPublished(sql, await removeImports(sql, account, table))
        await publishContents(sql, new Map(added.map(({ content, size }) => [content, size])))
        const stored: StoredImport[] = []
        for (const each of added) stored.push(await addImport(sql, each))
        return stored
      })
    } catch (error) {
      if (error instanceof Problem) throw error
      // The answer to the commit may be lost.
      const published = await Promise.all(added.map(({ content }) => findImport(this.#database, content)))
      if (published.includes(undefined)) throw error
      return published.filter((each) => each !== undefined)
    }
  }

  async #fetch({ content, size }: Prepared, path: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const release = await this.#objects.keep(content)
    try {
      const objects = await this.#objects.list(content)
      const isWhole = objects.reduce((sum, object) => sum + object.size, 0) === size
      if (!isWhole) throw new Problem('busy', 'An import was removed while it was to be read: try again.')
      const reader = new ContentReader(this.#objects.bucket, objects)
      await copyContent(reader, path, signal).finally(() => reader.close())
    } finally {
      await release()
    }
  }
}
