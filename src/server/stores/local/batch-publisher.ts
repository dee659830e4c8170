import { hash } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  fdatasync,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setImmediate as otherWork } from 'node:timers/promises'
import { promisify } from 'node:util'
import pLimit from 'p-limit'
import { fileFault, isUnreachable } from '../../../protocol/file-errors.js'
import { Mutex } from '../../concurrency/mutex.js'
import { digestMismatch } from '../digest-mismatch.js'
import type { Space } from '../files.js'
import { checkPrecondition } from '../precondition.js'
import type { Batch, BatchedFile, BatchResult } from './batch-messages.js'
import { type DescribedFile, describeFile, identify, type Version } from './file-description.js'
import { belowFile, isFolder, spaceFolder } from './file-paths.js'
import { stampOf } from './file-stamp.js'
import type { PublishedDigest, PublishedDigests } from './published-digests.js'
import { RealFolders } from './real-folders.js'
import { sendError } from './sent-errors.js'
import { SyncMetadata } from './sync-metadata.js'

export interface BatchPublisherOptions {
  /** Real paths. */
  uploads: string
  partial: string
  metadata: SyncMetadata
  digests: Pick<PublishedDigests, 'send'>
}

/** A file of a batch, on its way to its name. */
interface Entry {
  file: BatchedFile
  bytes: Uint8Array
  sha256: string
  /** The published file that has the name now. */
  before: DescribedFile | undefined
  result: BatchResult | null
  published: PublishedDigest | null
  /** Where it is written, until it is renamed. */
  temporary: { path: string; fd: number } | null
}

/**
 * Publishes batches of small files, in a worker thread. The caller holds the locks of the names: batches that are published
 * at the same time have different ones.
 */
export class BatchPublisher {
  readonly #options: BatchPublisherOptions
  readonly #syncs = pLimit(syncsAtOnce)
  /** A batch may rely on a folder that another one has created only when that is durable. */
  readonly #renaming = new Mutex()
  #number = 0

  constructor(options: BatchPublisherOptions) {
    this.#options = options
  }

  async publish(batch: Batch): Promise<BatchResult[]> {
    const folders = new RealFolders()
    const entries = entriesOf(batch)
    try {
      await each(entries, (entry) => this.#write(batch, entry))
      await Promise.all(entries.map((entry) => this.#sync(entry)))
      await this.#renaming.run(async () => {
        await each(entries, (entry) => this.#rename(batch, entry, folders))
        await this.#syncFolders(batch, entries, folders)
      })
      this.#options.digests.send(entries.flatMap(({ published }) => published ?? []))
      return entries.map(({ result }) => result!)
    } finally {
      for (const { temporary } of entries) if (temporary) removeTemporary(temporary)
      folders.close()
    }
  }

  #write(space: Batch, entry: Entry): void {
    const { file, bytes } = entry
    entry.sha256 = hash('sha256', bytes)
    if (file.sha256 !== null && file.sha256 !== entry.sha256) throw digestMismatch('sha256', file.sha256, entry.sha256)
    const before = this.#look(space, file.name)
    entry.before = before
    checkPrecondition(before?.file, file.precondition)
    if (!space.stage && before && before.file.size === bytes.length && before.file.sha256 === entry.sha256) {
      entry.result = { status: 'unchanged', file: before.file }
      return
    }
    const path = join(this.#options.partial, `small-${this.#number++}.bin`)
    const fd = openSync(path, 'w', 0o600)
    entry.temporary = { path, fd }
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  }

  /** Side by side, so that the disk writes them together. */
  async #sync(entry: Entry): Promise<void> {
    const { temporary } = entry
    if (!temporary) return
    await this.#syncs(() => syncData(temporary.fd)).catch((error) => fail(entry, error))
  }

  /** A removal of the last other file may remove the folder in between, repeatedly: then it retries. */
  #rename(space: Batch, entry: Entry, folders: RealFolders): void {
    const { temporary, file } = entry
    if (!temporary) return
    const folder = this.#folderOf(space, file.name)
    for (let attempt = 1; ; attempt++) {
      try {
        const target = folders.make(folder, file.name).entry(basename(file.name))
        entry.result = this.#moveIntoPlace(space, entry, temporary, target)
        return
      } catch (error) {
        const fault = fileFault(error)
        if (fault === 'folder' || fault === 'not-empty') throw isFolder(file.name)
        if (fault === 'below-file') throw belowFile(file.name)
        if (fault !== 'missing' || attempt === maxAttempts) throw error
        folders.forget(folder)
      }
    }
  }

  #moveIntoPlace(
    space: Batch,
    entry: Entry,
    { path, fd }: NonNullable<Entry['temporary']>,
    target: string,
  ): BatchResult {
    const metadata = space.stage ? new SyncMetadata(space.stage.meta) : this.#options.metadata
    const { name, type } = entry.file
    const stats = fstatSync(fd, { bigint: true })
    const version: Version = { sha256: entry.sha256, type, ...identify(stats) }
    const kept = entry.before?.version ?? entry.before?.unverified
    // The version that is replaced keeps its metadata: both have a digest, whichever a crash leaves.
    const versions = kept ? [version, kept] : [version]
    metadata.write(space, name, versions)
    renameSync(path, target)
    // A rename changes the ctime.
    const stamp = stampOf(fstatSync(fd, { bigint: true }))
    closeSync(fd)
    entry.temporary = null
    const { file } = describeFile(name, stats, versions)
    if (stamp) entry.published = { stamp, known: { sha256: version.sha256, type, isDateStrong: file.isDateStrong } }
    return { status: entry.before ? 'replaced' : 'new', file }
  }

  async #syncFolders(space: Batch, entries: Entry[], folders: RealFolders): Promise<void> {
    const changed = new Map<string, Entry[]>()
    for (const entry of entries) {
      if (entry.result?.status !== 'new' && entry.result?.status !== 'replaced') continue
      const folder = this.#folderOf(space, entry.file.name)
      changed.set(folder, [...(changed.get(folder) ?? []), entry])
    }
    await Promise.all(
      [...changed].map(([folder, published]) =>
        folders.sync(folder).catch((error) => {
          for (const entry of published) fail(entry, error)
        }),
      ),
    )
  }

  #folderOf(space: Batch, name: string): string {
    const { uploads } = space.stage ?? this.#options
    return dirname(join(spaceFolder(uploads, space), name))
  }

  /** The current file. */
  #look(space: Space, name: string): DescribedFile | undefined {
    const stats = statsOf(join(spaceFolder(this.#options.uploads, space), name))
    return stats?.isFile() ? describeFile(name, stats, this.#options.metadata.read(space, name)) : undefined
  }
}

function entriesOf({ files, bytes }: Batch): Entry[] {
  let at = 0
  return files.map((file) => {
    const own = bytes.subarray(at, at + file.size)
    at += file.size
    return { file, bytes: own, sha256: '', before: undefined, result: null, published: null, temporary: null }
  })
}

/** Synchronous calls, because they are much faster; in between, syncs of another batch end and are followed by others. */
async function each(entries: Entry[], step: (entry: Entry) => void): Promise<void> {
  for (const [index, entry] of entries.entries()) {
    if (index % entriesPerTurn === 0) await otherWork()
    if (entry.result) continue
    try {
      step(entry)
    } catch (error) {
      fail(entry, error)
    }
  }
}

function fail(entry: Entry, error: unknown): void {
  entry.result = { status: 'failed', error: sendError(error) }
  if (entry.temporary) removeTemporary(entry.temporary)
  entry.temporary = null
}

function removeTemporary({ path, fd }: NonNullable<Entry['temporary']>): void {
  closeSync(fd)
  rmSync(path, { force: true })
}

function statsOf(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isUnreachable(error)) return undefined
    throw error
  }
}

const syncData = promisify(fdatasync)
/** Of sixteen threads (`bin/thread-pool.js`), so that a removal, for example, waits for none of them. */
const syncsAtOnce = 12
const entriesPerTurn = 4
/** Each time, another removal must have intervened. */
const maxAttempts = 10
