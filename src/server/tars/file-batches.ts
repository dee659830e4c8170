import type { FolderStream } from '../folders/folder-stream.js'
import type { Space } from '../stores/files.js'
import { batchLimits, type NewFile, type NewFileResult, type SmallFiles } from '../stores/small-files.js'
import { isOfFileAlone } from './file-failures.js'
import type { StoredEntry } from './stored-entry.js'
import type { TarRoom } from './tar-room.js'

export interface FileBatchesOptions {
  space: Space
  smallFiles: SmallFiles
  stream: FolderStream
  room: TarRoom
  /** Throws if the account may no longer publish. */
  checkAccess(): Promise<void>
  /** Called with the files of a batch when they are durable. */
  onStored(files: StoredEntry[]): void
}

/** Collects small files and publishes them in batches, while the next ones arrive. */
export class FileBatches {
  readonly #options: FileBatchesOptions
  readonly #publishing = new Set<Promise<void>>()
  #hasFailed = false
  #files: NewFile[] = []
  #bytes = 0

  constructor(options: FileBatchesOptions) {
    this.#options = options
    options.smallFiles.prepare()
  }

  /** Waits while several batches are being published. Throws the failure of an earlier batch that ends the stream. */
  async add(file: NewFile): Promise<void> {
    this.#files.push(file)
    this.#bytes += file.bytes.length
    if (this.#files.length < batchLimits.files && this.#bytes < batchLimits.bytes) return
    if (this.#publishing.size >= batchesAtOnce) await Promise.race(this.#publishing)
    this.#begin()
  }

  /** Publishes the rest. Resolves when everything is durable. */
  async end(): Promise<void> {
    this.#begin()
    await Promise.all(this.#publishing)
  }

  /** The stream has failed: publishes what came whole before, unless that was the reason. Errors are not reported. */
  async endEarly(): Promise<void> {
    if (!this.#hasFailed) this.#begin()
    await this.settled()
  }

  /** Resolves when no batch is being published, whatever their outcome. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#publishing)
  }

  #begin(): void {
    if (this.#files.length === 0) return
    const [files, bytes] = [this.#files, this.#bytes]
    this.#files = []
    this.#bytes = 0
    const published = this.#publish(files, bytes)
    this.#publishing.add(published)
    // A failure stays, so that the next call throws it.
    published.then(
      () => this.#publishing.delete(published),
      () => {
        this.#hasFailed = true
      },
    )
  }

  async #publish(files: NewFile[], bytes: number): Promise<void> {
    const { space, smallFiles, stream, room, checkAccess, onStored } = this.#options
    await checkAccess()
    stream.commit()
    const results = await (stream.stage?.addSmall(files) ?? smallFiles.publish(space, files))
    const entries = results.map((result, index) => entryOf(files[index]!, result))
    for (const [index, entry] of entries.entries()) {
      const result = results[index]!
      if (result.status === 'failed') stream.fileFailed(entry.name, result.error)
      else stream.fileDone({ name: entry.name, size: result.file.size, status: result.status })
    }
    if (!stream.isStaged) room.stored(bytes)
    onStored(entries)
    for (const result of results) {
      if (result.status === 'failed' && (stream.stage || !isOfFileAlone(result.error))) throw result.error
    }
  }
}

function entryOf(file: NewFile, result: NewFileResult): StoredEntry {
  const { name, bytes } = file
  if (result.status === 'failed') return { name, status: 'failed', error: result.error }
  return { name, size: bytes.length, sha256: result.file.sha256, status: result.status }
}

/** One is written, one is synced and renamed, and one waits for its turn. */
const batchesAtOnce = 3
