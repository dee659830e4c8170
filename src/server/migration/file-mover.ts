import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import type { Space } from '../stores/files.js'
import type { AdoptedFiles } from '../stores/s3/adopted-files.js'
import type { FileRow } from '../stores/s3/file-rows.js'
import type { FileStorage } from '../stores/s3/stored-file.js'
import { sendLarge, sendSmall, smallBytes, Unsendable } from './sent-files.js'
import type { SourceFile, SourceFolder, SourcePage } from './source-folder.js'

/** What happened to the files. */
export interface MovedFiles {
  /** All that the cluster has now. */
  files: number
  bytes: number
  /** Those of them that this run has sent. */
  sent: { files: number; bytes: number }
  /** That an earlier run had sent, and that are not in the folder any more. */
  removed: number
  /** Folders that are empty, or kept when they become empty. */
  folders: number
  failed: FailedFile[]
}

/** A file of the folder that was not sent. */
export interface FailedFile {
  path: string
  why: string
  /** Whether its bytes are not those that were stored. */
  isDamage: boolean
}

export interface FileMoverServices {
  source: SourceFolder
  storage: FileStorage
  adopted: AdoptedFiles
  /** Called with the bytes of each file that the cluster has, or does not get. */
  advance: (bytes: number) => void
}

/** Makes the files of the cluster those of the folder. */
export class FileMover {
  readonly moved: MovedFiles = { files: 0, bytes: 0, sent: { files: 0, bytes: 0 }, removed: 0, folders: 0, failed: [] }
  readonly #services: FileMoverServices
  readonly #sending = pLimit(4)

  constructor(services: FileMoverServices) {
    this.#services = services
  }

  async moveAll(): Promise<void> {
    const { source, adopted } = this.#services
    for (const space of source.spaces) {
      let after = ''
      for await (const page of source.pages(space)) {
        await this.#movePage(space, page, after)
        after = page.last ?? ''
      }
      const folders = await source.folders(space)
      await adopted.replaceFolders(space, folders)
      this.moved.folders += folders.length
    }
    this.moved.removed += await adopted.removeOthers(source.spaces)
  }

  async #movePage(space: Space, { files, last }: SourcePage, after: string): Promise<void> {
    const { adopted, advance } = this.#services
    const there = await adopted.find(space, after, last)
    const kept = files.filter((file) => isSame(file, there.get(file.name)))
    for (const { name, size } of kept) {
      there.delete(name)
      this.#count(size)
      advance(size)
    }
    const names = new Set(kept.map(({ name }) => name))
    const batches = batchesOf(files.filter(({ name }) => !names.has(name)))
    const send = (batch: SourceFile[]) => this.#sending(() => this.#send(space, batch))
    const results = await Promise.allSettled(batches.map(send))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    // What was replaced is not there any more. A version that cannot be replaced must not stay.
    const current = new Set(files.map(({ name }) => name))
    const failed = new Set(this.moved.failed.map(({ path }) => path))
    for (const { name, path } of files) if (!failed.has(path)) there.delete(name)
    this.moved.removed += [...there.keys()].filter((name) => !current.has(name)).length
    await adopted.replace(space, { add: [], remove: [...there.keys()] })
  }

  async #send(space: Space, batch: SourceFile[]): Promise<void> {
    const { storage, adopted, advance } = this.#services
    const [first] = batch
    const content = randomUUID()
    const isLarge = first!.size > smallBytes
    const results = isLarge
      ? [await sendLarge(storage, first!, { content, onBytes: advance })]
      : await sendSmall(storage.objects, batch)
    const rows: FileRow[] = []
    for (const [index, result] of results.entries()) {
      const { path, size } = batch[index]!
      if (!isLarge) advance(size)
      if (result instanceof Unsendable) {
        this.moved.failed.push({ path, why: result.message, isDamage: result.isDamage })
        if (isLarge) await adopted.discard(content)
      } else rows.push(result)
    }
    await adopted.replace(space, { add: rows, remove: [] })
    for (const { size } of rows) {
      this.#count(size)
      this.moved.sent.files += 1
      this.moved.sent.bytes += size
    }
  }

  #count(bytes: number): void {
    this.moved.files += 1
    this.moved.bytes += bytes
  }
}

/** As an earlier run has sent it. */
function isSame(file: SourceFile, row: FileRow | undefined): boolean {
  if (!row || file.isDamaged) return false
  const { size, sha256, type, publishedAt, isDateStrong } = file
  return (
    row.size === size &&
    row.publishedAt.getTime() === publishedAt.getTime() &&
    row.type === type &&
    row.isDateStrong === isDateStrong &&
    (sha256 === null || row.sha256 === sha256)
  )
}

/** A large file by itself, small ones together. */
function batchesOf(files: readonly SourceFile[]): SourceFile[][] {
  const batches: SourceFile[][] = []
  let small: SourceFile[] = []
  let bytes = 0
  for (const file of files) {
    if (file.size > smallBytes) batches.push([file])
    else {
      if (small.length === maxFiles || bytes + file.size > maxBytes) {
        batches.push(small)
        small = []
        bytes = 0
      }
      small.push(file)
      bytes += file.size
    }
  }
  return small.length === 0 ? batches : [...batches, small]
}

const maxFiles = 64
const maxBytes = 8 * 1024 ** 2
