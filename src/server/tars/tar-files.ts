import { Readable } from 'node:stream'
import type { FolderStream } from '../folders/folder-stream.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Folders } from '../stores/folders.js'
import { checkPrecondition } from '../stores/precondition.js'
import type { SmallFiles } from '../stores/small-files.js'
import type { SpaceReservations } from '../stores/space.js'
import { isKnownBy } from '../transfers/declared-digests.js'
import type { ReceivingMemory } from '../transfers/partial-writer.js'
import type { UploadRun } from '../transfers/upload-run.js'
import { FileBatches } from './file-batches.js'
import { isOfFileAlone } from './file-failures.js'
import type { StoredEntry } from './stored-entry.js'
import type { TarEntry } from './tar-entries.js'
import { TarNames } from './tar-names.js'
import { refusedEntry } from './tar-problems.js'
import { TarRoom } from './tar-room.js'
import type { TarUpload } from './tar-upload.js'

export interface TarFilesOptions {
  upload: TarUpload
  stream: FolderStream
  run: UploadRun
  files: Pick<PublishedFiles, 'checkName' | 'find'>
  folderStore: Pick<Folders, 'create'>
  smallFiles: SmallFiles
  space: SpaceReservations
  memory: ReceivingMemory
  mediaTypeOf(name: string): string
  checkAccess(accountId: number): Promise<void>
}

/** Stores the files of one tar: small ones in batches, each other one as an upload. */
export class TarFiles {
  readonly #options: TarFilesOptions
  readonly #names: TarNames
  readonly #room: TarRoom
  readonly #batches: FileBatches
  #reported: Promise<void> = Promise.resolve()

  constructor(options: TarFilesOptions) {
    const { upload, stream, smallFiles, space, checkAccess } = options
    const { account } = upload.identity
    this.#options = options
    this.#names = new TarNames(upload.prefix)
    stream.bring(this.#names)
    this.#room = new TarRoom(space, account)
    this.#batches = new FileBatches({
      space: account,
      smallFiles,
      stream,
      room: this.#room,
      checkAccess: () => checkAccess(account.id),
      onStored: (files) => this.#report(files),
    })
  }

  async add(entry: TarEntry): Promise<void> {
    const { run } = this.#options
    // An entry without bytes is progress, too.
    await run.flow.pass(0)
    await this.#reported
    if (entry.isFolder) return this.#names.folder(entry.name)
    const name = this.#names.file(entry.name)
    const isSmall = entry.size <= maxSmallBytes
    // The stage reserves space for its files, but not for a large one while it arrives.
    if (this.#options.stream.isStaged && isSmall) this.#options.space.checkSize(entry.size)
    else await this.#room.take(entry.size, () => this.#sizeOf(name))
    if (isSmall) await this.#addSmall(name, entry)
    else await this.#addLarge(name, entry)
  }

  /** Publishes the remaining files. Resolves when all are durable and reported. */
  async end(): Promise<void> {
    await this.#batches.end()
    for (const folder of this.#names.emptyFolders) await this.#createFolder(folder)
    await this.#reported
  }

  /** Publishes the small files that came whole before the tar broke. */
  async endEarly(): Promise<void> {
    if (!this.#options.stream.isStaged) await this.#batches.endEarly()
  }

  async close(): Promise<void> {
    await this.#batches.settled()
    this.#room.close()
  }

  async #addSmall(name: string, entry: TarEntry): Promise<void> {
    const { upload, mediaTypeOf } = this.#options
    const bytes = await this.#read(entry)
    const { sha256 } = entry
    await this.#batches.add({ name, bytes, sha256, type: mediaTypeOf(name), precondition: upload.precondition })
  }

  async #read({ name, size, body }: TarEntry): Promise<Buffer> {
    const { run, memory } = this.#options
    const bytes = Buffer.allocUnsafeSlow(size)
    let filled = 0
    for await (const chunk of body) {
      await run.flow.pass(chunk.length)
      filled += chunk.copy(bytes, filled)
      memory.garbage.add(chunk.length)
    }
    if (filled !== size) throw refusedEntry(name, 'is shorter than its header says')
    return bytes
  }

  async #addLarge(name: string, entry: TarEntry): Promise<void> {
    try {
      this.#report([await this.#receive(name, entry)])
    } catch (error) {
      this.#failAlone(name, error)
    } finally {
      this.#room.stored(entry.size)
    }
  }

  async #createFolder(name: string): Promise<void> {
    const { folderStore, upload, stream } = this.#options
    stream.commit()
    try {
      if (stream.stage) await stream.stage.addFolder(name)
      else await folderStore.create(upload.identity.account, name)
    } catch (error) {
      this.#failAlone(name, error)
    }
  }

  /** Throws an error that is not of this file alone, and any if all files are published together. */
  #failAlone(name: string, error: unknown): void {
    const { stream } = this.#options
    if (stream.stage || !isOfFileAlone(error)) throw error
    stream.fileFailed(name, error)
    this.#report([{ name, status: 'failed', error }])
  }

  async #receive(name: string, { body, size, sha256 }: TarEntry): Promise<StoredEntry> {
    const { upload, stream, run, files, mediaTypeOf } = this.#options
    const space = upload.identity.account
    const digests = sha256 === null ? {} : { sha256 }
    await files.checkName(space, name)
    const there = await files.find(space, name)
    if (there && !stream.stage && there.size === size && isKnownBy(digests, there.sha256)) {
      stream.fileDone({ name, size, status: 'unchanged' })
      return { name, size, sha256, status: 'unchanged' }
    }
    checkPrecondition(there, upload.precondition)
    const partial = await run.createPartial()
    try {
      await run.receive(Readable.from(body), partial)
      const computed = await run.settle(partial, digests)
      await run.commit()
      const { precondition } = upload
      const target = { space, name, type: mediaTypeOf(name), sha256: computed, precondition }
      if (stream.isStaged) this.#room.release()
      const { created } = await run.publish(partial, target)
      return { name, size, sha256: computed, status: created ? 'new' : 'replaced' }
    } catch (error) {
      await partial.remove()
      throw error
    }
  }

  #report(files: StoredEntry[]): void {
    this.#reported = this.#options.upload.onStored(files)
    this.#reported.catch(() => {})
  }

  async #sizeOf(name: string): Promise<number> {
    return (await this.#options.files.find(this.#options.upload.identity.account, name))?.size ?? 0
  }
}

const maxSmallBytes = 64 * 1024
