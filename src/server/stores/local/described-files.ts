import { type BigIntStats, closeSync, lstatSync, openSync, readFileSync, readSync, type Stats } from 'node:fs'
import { fileFault, isUnreachable } from '../../../protocol/file-errors.js'
import type { FileRecord } from '../../../protocol/files.js'
import type { Space, StoredFile } from '../files.js'
import { describeFile, parseVersions, storedFile } from './file-description.js'
import { stampOf } from './file-stamp.js'
import type { KnownDigests } from './known-digests.js'
import { metadataFolder, metadataInFolder } from './metadata-paths.js'

/** Real paths. */
export interface DescribedFolders {
  uploads: string
  meta: string
}

/** Describes files by name, synchronously: for a worker thread. */
export class DescribedFiles {
  readonly #folders: DescribedFolders
  /** Two versions take about 500 bytes. */
  readonly #buffer = Buffer.alloc(16 * 1024)
  readonly #known: KnownDigests
  #hadMetadata = true
  #last = { role: '', username: '', folder: '', path: '' }

  constructor(folders: DescribedFolders, known: KnownDigests) {
    this.#folders = folders
    this.#known = known
  }

  find(space: Space, name: string): StoredFile | undefined {
    const stats = this.#look(space, name)
    const stamp = stats?.isFile() ? stampOf(stats) : undefined
    const known = stamp && this.#known.find(stamp)
    return stats && known ? storedFile(name, stats, known) : this.#describe(space, name, stats)
  }

  /** The file's record, and whether it is a restored file whose bytes were not compared yet. */
  record(space: Space, name: string): { record: FileRecord; unverified: boolean } | undefined {
    const stats = this.#lookQuickly(space, name)
    if (!stats?.isFile()) return undefined
    const known = this.#known.find(stats)
    if (known) {
      const { sha256, type } = known
      const uploadedAt = new Date(stats.mtimeMs).toISOString()
      return { record: { name, size: stats.size, sha256, type, uploadedAt }, unverified: false }
    }
    const file = this.#describe(space, name, this.#look(space, name))
    if (!file) return undefined
    const { size, sha256, type, uploadedAt, unverified = false } = file
    return { record: { name, size, sha256, type, uploadedAt }, unverified }
  }

  /** Retries if a publish came between reading the file's stats and its metadata. */
  #describe(space: Space, name: string, first: BigIntStats | undefined): StoredFile | undefined {
    const metadata = this.#metadataPath(space, name)
    let stats = first
    for (let attempt = 1; stats?.isFile(); attempt++) {
      const text = this.#read(metadata)
      const { file, version } = describeFile(name, stats, text === undefined ? [] : parseVersions(text))
      if (version) this.#remember(file, stats)
      if (version || text === undefined || attempt === 3) return file
      const now = this.#look(space, name)
      if (now?.ctimeNs === stats.ctimeNs) return file
      stats = now
    }
    return undefined
  }

  #remember({ sha256, type, isDateStrong }: StoredFile, stats: BigIntStats): void {
    const stamp = stampOf(stats)
    if (stamp && sha256 !== null) this.#known.add(stamp, { sha256, type, isDateStrong })
  }

  #look(space: Space, name: string): BigIntStats | undefined {
    const path = this.#pathOf(space, name)
    return whenThere(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }))
  }

  #lookQuickly(space: Space, name: string): Stats | undefined {
    const path = this.#pathOf(space, name)
    return whenThere(() => lstatSync(path, { throwIfNoEntry: false }))
  }

  #pathOf({ role, username }: Space, name: string): string {
    return `${this.#folders.uploads}/${role}/${username}/${name}`
  }

  /** Names of one folder follow each other: its path is kept. */
  #metadataPath(space: Space, name: string): string {
    const slash = name.lastIndexOf('/') + 1
    const { folder, username, role } = this.#last
    const isSame =
      slash === folder.length && name.startsWith(folder) && username === space.username && role === space.role
    if (!isSame) {
      const folder = name.slice(0, slash)
      this.#last = { ...space, folder, path: metadataFolder(this.#folders.meta, space, folder) }
    }
    return metadataInFolder(this.#last.path, name.slice(slash))
  }

  /** Files that were added by hand have no metadata, and an exception for each costs more than a check. */
  #read(path: string): string | undefined {
    if (!this.#hadMetadata && !lstatSync(path, { throwIfNoEntry: false })) return undefined
    const file = whenThere(() => openSync(path, 'r'))
    this.#hadMetadata = file !== undefined
    if (file === undefined) return undefined
    try {
      // Faster than `readFileSync`.
      const length = readSync(file, this.#buffer, 0, this.#buffer.length, 0)
      // The media types of clients may be long.
      return length < this.#buffer.length ? this.#buffer.toString('utf8', 0, length) : readFileSync(file, 'utf8')
    } finally {
      closeSync(file)
    }
  }
}

/** Returns undefined for a missing, unreachable or forbidden file. */
export function whenThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (!isUnreachable(error) && fileFault(error) !== 'forbidden') throw error
    return undefined
  }
}
