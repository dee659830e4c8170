import { randomUUID } from 'node:crypto'
import type { Database, Transaction } from '../postgres/database.js'
import { isDuplicate, isMissingReference } from '../postgres/database-errors.js'
import type { NodeLease } from '../postgres/node-lease.js'
import { claimLost } from '../storage-fault.js'
import type { Bucket } from './bucket.js'
import type { SentBytes } from './bucket-requests.js'

/** An object, as far as its bytes count. */
export interface ContentObject {
  key: string
  position: number
  size: number
}

/** One or more objects are the content of a file, by the id of which they are found. */
export interface ContentPlace {
  content: string
  position: number
}

export interface StoreOptions {
  /** The registration under which this server may store them; default: its present one. */
  node?: number
  signal?: AbortSignal | undefined
}

export interface ObjectsOptions {
  bucket: Bucket
  lease: Pick<NodeLease, 'id'>
}

/** The objects in the bucket. Each key is a row before it is bytes, so that nothing is left that no row names. */
export class Objects {
  readonly bucket: Bucket
  readonly #database: Database
  readonly #lease: Pick<NodeLease, 'id'>

  constructor(database: Database, { bucket, lease }: ObjectsOptions) {
    this.bucket = bucket
    this.#database = database
    this.#lease = lease
  }

  /**
   * Stores an object, whose bytes count once this has resolved. Otherwise it is garbage; if this server is found dead
   * meanwhile, others decide about it.
   */
  async store(place: ContentPlace, body: SentBytes, options?: StoreOptions): Promise<ContentObject> {
    const [object] = await this.storeAll([{ ...place, body }], options)
    return object!
  }

  /** Like `store`, for a few at once. If one fails, all are garbage. */
  async storeAll(
    places: (ContentPlace & { body: SentBytes })[],
    { node = this.#lease.id, signal }: StoreOptions = {},
  ): Promise<ContentObject[]> {
    const rows = places.map(({ content, position, body }) => {
      return { key: `o/${randomUUID()}`, content, position, size: body.size, state: 'pending', node }
    })
    const keys = rows.map(({ key }) => key)
    if (rows.length === 0) return []
    await this.#database`insert into objects ${this.#database(rows)}`.catch((error) => {
      // Another server may have continued the content.
      throw isMissingReference(error) || isDuplicate(error, 'objects_of_content') ? claimLost() : error
    })
    try {
      const stored = await Promise.allSettled(
        rows.map(({ key }, index) => this.bucket.put(key, places[index]!.body, signal)),
      )
      for (const put of stored) if (put.status === 'rejected') throw put.reason
      const kept = await this.#database`
        update objects set state = 'stored' where key = any(${keys}) and node = ${node} and state = 'pending'
        returning key`
      if (kept.length < keys.length) throw claimLost()
    } catch (error) {
      await discardObjects(this.#database, { keys, node, passes: passesOfFailed })
      throw error
    }
    return rows
  }

  /** Of a content, in order: also if it became garbage just now. */
  async list(content: string): Promise<ContentObject[]> {
    return this.#database<ContentObject[]>`
      select key, position, size from objects
      where content = ${content} and state <> 'pending' order by position`
  }

  /** Of each content, in order. */
  async listMany(contents: readonly string[]): Promise<Map<string, ContentObject[]>> {
    const rows = await this.#database<(ContentObject & { content: string })[]>`
      select content, key, position, size from objects
      where content = any(${[...contents]}) and state <> 'pending' order by content, position`
    const found = new Map<string, ContentObject[]>()
    for (const row of rows) found.set(row.content, [...(found.get(row.content) ?? []), row])
    return found
  }

  /** Keeps the objects of a content until the returned function is called, or this server dies. */
  async keep(content: string): Promise<() => Promise<void>> {
    const [row] = await this.#database<{ id: number }[]>`
      insert into object_readers (content, node) values (${content}, ${this.#lease.id}) returning id`
    return async () => {
      await this.#database`delete from object_readers where id = ${row!.id}`
    }
  }
}

/**
 * Makes the stored objects of contents those of published files, in the transaction that publishes them. `sizes` are the bytes
 * of each content. Throws if others have found this server dead, and taken its objects for garbage.
 */
export async function publishContents(sql: Transaction, sizes: ReadonlyMap<string, number>): Promise<void> {
  const rows = await sql<{ content: string; size: number }[]>`
    update objects set state = 'live', node = null where content = any(${[...sizes.keys()]}) and state = 'stored'
    returning content, size`
  const missing = new Map(sizes)
  for (const { content, size } of rows) missing.set(content, missing.get(content)! - size)
  if ([...missing.values()].some((size) => size !== 0)) throw claimLost()
}

/**
 * Makes contents garbage whose files are removed or replaced in the same transaction. They are kept for a minute, for readers
 * that have just found them.
 */
export async function discardPublished(sql: Transaction, contents: readonly string[]): Promise<void> {
  if (contents.length === 0) return
  await sql`
    update objects set state = 'garbage', not_before = clock_timestamp() + interval '1 minute', passes = 1
    where content = any(${[...contents]}) and state = 'live'`
}

/** Makes contents garbage that have no file. Those that were published meanwhile stay, whatever the caller knows of it. */
export async function discardUnpublished(sql: Database | Transaction, contents: readonly string[]): Promise<void> {
  if (contents.length === 0) return
  await sql`
    update objects set ${garbage(sql)}, passes = case state when 'pending' then ${passesOfFailed} else 1 end
    where content = any(${[...contents]}) and state in ('pending', 'stored')`
}

/** Makes objects garbage that belong to no published file; with `node`, only those that this registration still stores. */
export async function discardObjects(
  sql: Database | Transaction,
  { keys, node, passes }: { keys: readonly string[]; node?: number; passes: number },
): Promise<void> {
  await sql`
    update objects set ${garbage(sql)}, passes = ${passes}
    where key = any(${[...keys]}) and state in ('pending', 'stored')
      and ${node === undefined ? sql`true` : sql`node = ${node}`}`
}

/** Takes an object out of its content, which another server may continue with another one at its position. */
export function garbage(sql: Database | Transaction) {
  return sql`state = 'garbage', node = null, content = key, not_before = clock_timestamp()`
}

/** A request under way elsewhere may still store the object: it is removed again after a minute and after an hour. */
export const passesOfFailed = 3
