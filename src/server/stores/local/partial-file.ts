import type { FileHandle } from 'node:fs/promises'
import type { LimitFunction } from 'p-limit'
import type { WeightedLimit } from '../../concurrency/weighted-limit.js'
import { diskFull, isDiskFull } from '../disk-full.js'
import type { DigestAlgorithm, StoredFile } from '../files.js'
import type { PartialFile, PublishTarget } from '../partials.js'
import type { Digests, FileDigest } from './digests.js'
import { removeFile, removePartial, writeState } from './partial-folder.js'
import type { Publishing } from './publishing.js'
import type { WriteThread } from './write-thread.js'

export interface PartialServices {
  folder: string
  digests: Digests
  publishing: Pick<Publishing, 'publish'>
  /** For small writes. */
  writes: WriteThread
  /** Limits concurrent writes and syncs, because every other file operation, such as a removal, queues behind them. */
  bulk: WeightedLimit
  /** Of these, the syncs. */
  syncs: LimitFunction
  /** Removed partials that are being closed: their blocks are not free yet. */
  closing: Set<Promise<void>>
}

/** A file in `partial/`, whose digest and syncs follow the writing. */
export class LocalPartialFile implements PartialFile {
  readonly id: string
  readonly path: string
  readonly #services: PartialServices
  readonly #digest: FileDigest
  readonly #handle: FileHandle
  #size: number
  #syncedSize: number
  #writing: Promise<unknown> = Promise.resolve()
  #syncing: Promise<void> | null = null
  #syncError: unknown = null
  #closed: Promise<void> | null = null
  #forgotten: Promise<void> | null = null
  #isRemoved = false
  /** Whether a state may exist beside it. */
  #hasState: boolean

  constructor(
    id: string,
    path: string,
    handle: FileHandle,
    { size, hasState }: { size: number; hasState: boolean },
    services: PartialServices,
  ) {
    this.id = id
    this.path = path
    this.#handle = handle
    this.#size = size
    this.#syncedSize = size
    this.#hasState = hasState
    this.#services = services
    this.#digest = services.digests.open(path)
    this.#digest.follow(size)
  }

  get size(): number {
    return this.#size
  }

  async append(buffer: Buffer, length: number): Promise<void> {
    const { bulk, writes } = this.#services
    const bytes = buffer.subarray(0, length)
    const write = writes.takes(bytes) ? this.#writeShared(bytes) : bulk.run(length, () => this.#write(buffer, length))
    this.#writing = write.catch(() => {})
    await write
    this.#digest.follow(this.#size)
    if (this.#size - this.#syncedSize >= syncBehindBytes) this.#syncBehind()
  }

  async #writeShared(bytes: Uint8Array): Promise<void> {
    if (this.#isRemoved) throw wasRemoved(this.id)
    await this.#services.writes.write({ fd: this.#handle.fd, bytes, position: this.#size }).catch(rethrowFull)
    this.#size += bytes.length
  }

  async #write(buffer: Buffer, length: number): Promise<void> {
    if (this.#isRemoved) throw wasRemoved(this.id)
    let written = 0
    while (written < length) {
      const { bytesWritten } = await this.#handle
        .write(buffer, written, length - written, this.#size)
        .catch(rethrowFull)
      written += bytesWritten
      this.#size += bytesWritten
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#writing
    await this.#handle.truncate(size)
    this.#size = size
    this.#digest.forget()
  }

  async sync(): Promise<void> {
    await this.#syncing
    // The kernel reports a failed write-back to one sync only.
    if (this.#syncError) throw this.#syncError
    const size = this.#size
    await this.#datasync().catch(rethrowFull)
    this.#syncedSize = size
  }

  async saveState(state: object): Promise<void> {
    this.#hasState = true
    await writeState(this.#services.folder, this.id, state)
  }

  follow(algorithm: DigestAlgorithm): void {
    this.#digest.add(algorithm)
  }

  digest(algorithm: DigestAlgorithm): Promise<string> {
    return this.#digest.digest(this.#size, algorithm)
  }

  async publish(target: PublishTarget): Promise<{ file: StoredFile; created: boolean }> {
    const published = await this.#services.publishing.publish(this.path, target)
    await this.close()
    return published
  }

  async remove(): Promise<void> {
    this.#isRemoved = true
    try {
      // A stop waits for this, and each step queues behind the writes of others: no unnecessary steps.
      await (this.#hasState ? removePartial(this.#services.folder, this.id) : removeFile(this.path))
    } finally {
      // A write or a sync may still be running: only callers that need the space wait for it.
      const closed = this.close()
        .then(() => this.#forgotten ?? undefined)
        .catch(() => {})
      this.#services.closing.add(closed)
      closed.finally(() => this.#services.closing.delete(closed))
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#close()
    await this.#closed
  }

  async #close(): Promise<void> {
    this.#forgotten = this.#digest.forget()
    await this.#writing
    await this.#syncing
    await this.#handle.close()
  }

  #datasync(): Promise<void> {
    const { bulk, syncs } = this.#services
    return syncs(() => bulk.run(syncWeight, () => this.#handle.datasync()))
  }

  /** Starts to write back early, so that little is left for the sync at the end. */
  #syncBehind(): void {
    if (this.#syncing) return
    this.#syncedSize = this.#size
    this.#syncing = this.#datasync()
      .catch((error) => {
        this.#syncError = error
      })
      .then(() => {
        this.#syncing = null
      })
  }
}

const syncBehindBytes = 64 * 1024 ** 2
/** As one of the largest writes. */
const syncWeight = 1024 ** 2

function wasRemoved(id: string): Error {
  return new Error(`The partial ${id} was removed.`)
}

function rethrowFull(error: NodeJS.ErrnoException): never {
  throw isDiskFull(error) ? diskFull(error) : error
}
