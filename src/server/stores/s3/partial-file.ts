import { createHash, type Hash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Problem } from '../../../protocol/problems.js'
import type { DigestAlgorithm } from '../files.js'
import { partialPath } from '../local/partial-folder.js'
import type { PartialFile, Partials, PublishedPartial, PublishTarget } from '../partials.js'
import type { Database } from '../postgres/database.js'
import { claimLost, type NodeLease } from '../postgres/node-lease.js'
import { ContentReader } from './content-reader.js'
import { accountOf, findRow, lockFiles, storedFileOf } from './file-rows.js'
import { type ContentObject, discardContents, discardObjects, type Objects } from './objects.js'
import { publishRows } from './publish-rows.js'
import { type ReceivedContent, releasePartial, type StageReceiver } from './staged-rows.js'

export interface BucketPartialServices {
  database: Database
  objects: Objects
  lease: Pick<NodeLease, 'id'>
  spool: Pick<Partials, 'create'>
  /** The folder of the spool. */
  scratch: string
  stages: StageReceiver
  objectSize: (offset: number) => number
}

/** A partial whose bytes are collected in a file of the spool until they fill an object. */
export class BucketPartialFile implements PartialFile {
  readonly id: string
  readonly #content: string
  readonly #services: BucketPartialServices
  #stored: ContentObject[]
  /** Objects under way: at most two. */
  #sending: Promise<ContentObject>[] = []
  #spooled: PartialFile | null = null
  #hashes: Map<DigestAlgorithm, Hash> | null
  #closed: Promise<void> | null = null
  #hasEnded = false
  readonly #removed = new AbortController()

  constructor(
    { id, content, stored }: { id: string; content: string; stored: ContentObject[] },
    services: BucketPartialServices,
  ) {
    this.id = id
    this.#content = content
    this.#stored = stored
    this.#services = services
    this.#hashes = stored.length === 0 ? new Map([['sha256', createHash('sha256')]]) : null
    this.#sizeSent = sizeOf(stored)
  }

  /** Of all objects, also of those under way. */
  #sizeSent: number

  get size(): number {
    return this.#sizeSent + (this.#spooled?.size ?? 0)
  }

  async append(buffer: Buffer, length: number): Promise<void> {
    const { signal } = this.#removed
    for (let at = 0; at < length; ) {
      const file = this.#spooled ?? (await this.#spool())
      const room = this.#services.objectSize(this.#sizeSent) - file.size
      const bytes = buffer.subarray(at, Math.min(length, at + room))
      await file.append(bytes, bytes.length)
      signal.throwIfAborted()
      for (const hash of this.#hashes?.values() ?? []) hash.update(bytes)
      at += bytes.length
      if (bytes.length === room) await this.#send()
    }
  }

  async truncate(size: number): Promise<void> {
    if (size === this.size) return
    this.#hashes = null
    if (this.#spooled && size >= this.#sizeSent) return this.#spooled.truncate(size - this.#sizeSent)
    await this.#spooled?.remove()
    this.#spooled = null
    await this.#settle()
    const kept: ContentObject[] = []
    let left = size
    for (const object of this.#stored) {
      if (left > 0) kept.push({ ...object, size: Math.min(left, object.size) })
      left -= object.size
    }
    const dropped = this.#stored.slice(kept.length).map(({ key }) => key)
    await this.#services.database.begin(async (sql) => {
      await discardObjects(sql, dropped, 1)
      const last = kept.at(-1)
      if (last) await sql`update objects set size = ${last.size} where key = ${last.key}`
      await sql`update partials set size = least(size, ${size}) where id = ${this.id}`
    })
    this.#stored = kept
    this.#sizeSent = size
  }

  async sync(): Promise<void> {
    await this.#flush()
    const node = this.#services.lease.id
    const rows = await this.#services.database`
      update partials set size = ${this.#sizeSent}, updated_at = clock_timestamp()
      where id = ${this.id} and node = ${node} and content = ${this.#content} returning id`
    if (rows.length === 0) throw claimLost()
  }

  async saveState(state: object): Promise<void> {
    await this.#services.database`
      update partials set state = ${JSON.stringify(state)}::text::json, updated_at = clock_timestamp()
      where id = ${this.id} and node = ${this.#services.lease.id}`
  }

  follow(algorithm: DigestAlgorithm): void {
    if (this.size === 0) this.#hashes?.set(algorithm, createHash(algorithm))
  }

  async digest(algorithm: DigestAlgorithm): Promise<string> {
    const known = this.#hashes?.get(algorithm)
    if (known) return known.copy().digest('hex')
    await this.#flush()
    const hash = createHash(algorithm)
    const reader = new ContentReader(this.#services.objects.bucket, this.#stored)
    const close = () => reader.close()
    this.#removed.signal.addEventListener('abort', close)
    try {
      for await (const chunk of reader.chunks()) hash.update(chunk)
      return hash.digest('hex')
    } finally {
      this.#removed.signal.removeEventListener('abort', close)
      reader.close()
    }
  }

  async publish(target: PublishTarget): Promise<PublishedPartial> {
    await this.#flush()
    const { stage } = target
    const file: ReceivedContent = { partial: this.id, content: this.#content, size: this.#sizeSent }
    const published =
      stage === undefined
        ? await this.#publish(target)
        : await this.#services.stages.receive(file, { ...target, stage })
    this.#hasEnded = true
    return published
  }

  async remove(): Promise<void> {
    const isFirst = !this.#removed.signal.aborted
    this.#removed.abort(new Error(`The partial ${this.id} was removed.`))
    if (isFirst) await this.#spooled?.remove()
    this.#spooled = null
    // Their requests end before their objects become garbage.
    await Promise.allSettled(this.#sending)
    await this.#services.database.begin(async (sql) => {
      if (!this.#hasEnded) await discardContents(sql, [this.#content])
      await sql`delete from partials where id = ${this.id}`
    })
    this.#hasEnded = true
  }

  async close(): Promise<void> {
    this.#closed ??= this.#hasEnded || this.#removed.signal.aborted ? Promise.resolve() : this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    try {
      if (this.#spooled || this.#sending.length > 0) await this.sync()
    } finally {
      await this.#spooled?.remove()
    }
  }

  async #publish({ space, name, type, sha256, precondition }: PublishTarget): Promise<PublishedPartial> {
    const { database, lease } = this.#services
    const account = accountOf(space)
    const file = { name, type, sha256, precondition, content: this.#content, size: this.#sizeSent }
    try {
      return await database.begin(async (sql) => {
        await lockFiles(sql, account)
        await releasePartial(sql, { partial: this.id, content: this.#content, node: lease.id })
        const [result] = await publishRows(sql, account, [file])
        if ('error' in result!) throw result.error
        return { file: storedFileOf(result!.row), created: result!.created }
      })
    } catch (error) {
      if (error instanceof Problem) throw error
      // The answer to the commit may be lost.
      const row = await findRow(database, account, name)
      if (row?.content !== this.#content) throw error
      return { file: storedFileOf(row), created: true }
    }
  }

  async #spool(): Promise<PartialFile> {
    const { signal } = this.#removed
    signal.throwIfAborted()
    const file = await this.#services.spool.create(randomUUID())
    if (signal.aborted) {
      await file.remove()
      throw signal.reason
    }
    this.#spooled = file
    return file
  }

  /** Sends what is in the spool, and waits for all objects. */
  async #flush(): Promise<void> {
    if (this.#spooled && this.#spooled.size > 0) await this.#send()
    await this.#settle()
  }

  async #send(): Promise<void> {
    const file = this.#spooled!
    this.#spooled = null
    const position = this.#stored.length + this.#sending.length
    this.#sizeSent += file.size
    const sending = this.#store(file, position)
    // Prevents an unhandled rejection: it is awaited later.
    sending.catch(() => {})
    this.#sending.push(sending)
    while (this.#sending.length > maxSending) await this.#next()
  }

  async #settle(): Promise<void> {
    while (this.#sending.length > 0) await this.#next()
  }

  /** One that has failed stays, so that everything after it fails, too. */
  async #next(): Promise<void> {
    const object = await this.#sending[0]!
    this.#sending.shift()
    this.#stored.push(object)
  }

  async #store(file: PartialFile, position: number): Promise<ContentObject> {
    const { objects, scratch } = this.#services
    const { signal } = this.#removed
    try {
      const value = await file.digest('sha256')
      const open = () => createReadStream(partialPath(scratch, file.id))
      const body = { size: file.size, checksum: { algorithm: 'sha256' as const, value }, open }
      return await objects.store({ content: this.#content, position }, body, signal)
    } finally {
      await file.remove()
    }
  }
}

function sizeOf(objects: readonly ContentObject[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0)
}

const maxSending = 2
