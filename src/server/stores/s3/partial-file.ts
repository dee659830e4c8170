import { createHash } from 'node:crypto'
import { Problem } from '../../../protocol/problems.js'
import type { DigestAlgorithm } from '../files.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../partials.js'
import type { Database, Transaction } from '../postgres/database.js'
import { jsonText } from '../postgres/json-text.js'
import type { NodeLease } from '../postgres/node-lease.js'
import { claimLost } from '../storage-fault.js'
import type { ContentDigest, ContentDigests } from './content-digests.js'
import { ContentReader } from './content-reader.js'
import { accountOf, findRow, lockFiles, storedFileOf } from './file-rows.js'
import type { ObjectDraft, ObjectDrafts } from './object-drafts.js'
import { type ContentObject, discardObjects, discardUnpublished, type Objects } from './objects.js'
import { findFreeName, publishRows } from './publish-rows.js'
import { type ReceivedContent, releasePartial, renameState, type StageReceiver } from './staged-rows.js'

export interface BucketPartialServices {
  database: Database
  objects: Objects
  lease: Pick<NodeLease, 'id'>
  drafts: Pick<ObjectDrafts, 'create'>
  digests: Pick<ContentDigests, 'open'>
  stages: StageReceiver
  objectSize: (offset: number) => number
}

/** A partial whose bytes are collected until they fill an object. */
export class BucketPartialFile implements PartialFile {
  readonly id: string
  readonly #content: string
  readonly #services: BucketPartialServices
  /** The registration under which it was opened. */
  readonly #node: number
  #stored: ContentObject[]
  /** Of all objects, also of those under way. */
  #sizeSent: number
  /** Objects under way: at most two. */
  #sending: Promise<ContentObject>[] = []
  /** What is to be the next object. */
  #draft: ObjectDraft | null = null
  #digest: ContentDigest
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
    this.#sizeSent = sizeOf(stored)
    this.#services = services
    this.#node = services.lease.id
    this.#digest = services.digests.open(stored.length === 0 ? ['sha256'] : [])
  }

  get size(): number {
    return this.#sizeSent + (this.#draft?.size ?? 0)
  }

  async append(buffer: Buffer, length: number): Promise<void> {
    const { signal } = this.#removed
    for (let at = 0; at < length; ) {
      const maxBytes = this.#services.objectSize(this.#sizeSent)
      const draft = this.#draft ?? (await this.#createDraft(maxBytes, length - at))
      const room = maxBytes - draft.size
      const bytes = buffer.subarray(at, Math.min(length, at + room))
      await draft.append(bytes)
      signal.throwIfAborted()
      at += bytes.length
      if (bytes.length === room) await this.#send()
    }
  }

  async truncate(size: number): Promise<void> {
    if (size === this.size) return
    if (this.#draft && size >= this.#sizeSent) return this.#draft.truncate(size - this.#sizeSent)
    this.#digest.forget()
    this.#digest = this.#services.digests.open([])
    await this.#draft?.remove()
    this.#draft = null
    await this.#settle()
    const kept: ContentObject[] = []
    let left = size
    for (const object of this.#stored) {
      if (left > 0) kept.push({ ...object, size: Math.min(left, object.size) })
      left -= object.size
    }
    const keys = this.#stored.slice(kept.length).map(({ key }) => key)
    await this.#services.database.begin(async (sql) => {
      const own = await sql`
        update partials set size = least(size, ${size}) where ${this.#isOwn(sql)} and content = ${this.#content} returning id`
      if (own.length === 0) throw claimLost()
      await discardObjects(sql, { keys, passes: 1 })
      const last = kept.at(-1)
      if (last) await sql`update objects set size = ${last.size} where key = ${last.key}`
    })
    this.#stored = kept
    this.#sizeSent = size
  }

  async sync(): Promise<void> {
    await this.#flush()
    const { database } = this.#services
    const own = await database`
      update partials set size = ${this.#sizeSent}, updated_at = clock_timestamp()
      where ${this.#isOwn(database)} and content = ${this.#content} returning id`
    if (own.length === 0) throw claimLost()
  }

  async saveState(state: object): Promise<void> {
    const { database } = this.#services
    const own = await database`
      update partials set state = ${jsonText(state)}::text::json, updated_at = clock_timestamp()
      where ${this.#isOwn(database)} returning id`
    if (own.length === 0) throw claimLost()
  }

  follow(algorithm: DigestAlgorithm): void {
    if (this.size === 0) this.#digest.follow(algorithm)
  }

  async digest(algorithm: DigestAlgorithm): Promise<string> {
    await this.#flush()
    const known = await this.#digest.digest(algorithm).catch(() => null)
    if (known !== null) return known
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
    await this.#release()
    return published
  }

  async remove(): Promise<void> {
    this.#removed.abort(new Error(`The partial ${this.id} was removed.`))
    await this.#release()
    // Their requests end before their objects become garbage.
    await Promise.allSettled(this.#sending)
    await this.#services.database.begin(async (sql) => {
      const gone = await sql`delete from partials where ${this.#isOwn(sql)} returning id`
      if (!this.#hasEnded && gone.length > 0) await discardUnpublished(sql, [this.#content])
    })
    this.#hasEnded = true
  }

  async close(): Promise<void> {
    this.#closed ??= this.#hasEnded || this.#removed.signal.aborted ? Promise.resolve() : this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    try {
      if (this.#draft || this.#sending.length > 0) await this.sync()
    } finally {
      await this.#release()
    }
  }

  /** False once this server has lost its lease: others decide about it then, and one of them may continue it. */
  #isOwn(sql: Database | Transaction) {
    return sql`id = ${this.id} and node = ${this.#node}`
  }

  /** What it has on this server. */
  async #release(): Promise<void> {
    this.#digest.forget()
    const draft = this.#draft
    this.#draft = null
    await draft?.remove()
  }

  async #publish(target: PublishTarget): Promise<PublishedPartial> {
    const { space, type, sha256, precondition, isNumbered = false } = target
    const { database } = this.#services
    const account = accountOf(space)
    let { name } = target
    try {
      return await database.begin(async (sql) => {
        await Promise.all([
          lockFiles(sql, account),
          releasePartial(sql, { partial: this.id, content: this.#content, node: this.#node }),
        ])
        if (isNumbered) {
          name = await findFreeName(sql, account, target.name)
          await renameState(sql, this.id, name)
        }
        const file = { name, type, sha256, precondition, content: this.#content, size: this.#sizeSent }
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

  async #createDraft(maxBytes: number, firstBytes: number): Promise<ObjectDraft> {
    const { signal } = this.#removed
    signal.throwIfAborted()
    const draft = await this.#services.drafts.create(maxBytes, firstBytes, signal)
    if (signal.aborted) {
      await draft.remove()
      throw signal.reason
    }
    this.#draft = draft
    return draft
  }

  /** Sends what has been collected, and waits for all objects. */
  async #flush(): Promise<void> {
    if (this.#draft && this.#draft.size > 0) await this.#send()
    await this.#settle()
  }

  async #send(): Promise<void> {
    const draft = this.#draft!
    this.#draft = null
    const position = this.#stored.length + this.#sending.length
    this.#sizeSent += draft.size
    const sending = this.#store(draft, position)
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
    const first = this.#sending[0]!
    const object = await first
    // Others may wait for it, too.
    if (this.#sending[0] !== first) return
    this.#sending.shift()
    this.#stored.push(object)
  }

  async #store(draft: ObjectDraft, position: number): Promise<ContentObject> {
    const { size, source } = draft
    try {
      const value = await this.#digest.add(source, size)
      const body = { size, checksum: { algorithm: 'crc32' as const, value }, open: () => draft.open() }
      const place = { content: this.#content, position }
      return await this.#services.objects.store(place, body, { node: this.#node, signal: this.#removed.signal })
    } finally {
      await draft.remove()
    }
  }
}

function sizeOf(objects: readonly ContentObject[]): number {
  return objects.reduce((sum, { size }) => sum + size, 0)
}

const maxSending = 2
