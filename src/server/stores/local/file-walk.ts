import { lstatSync, opendirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { faultOfName } from '../../../protocol/file-name.js'
import type { Space, StoredFile } from '../files.js'
import { type DescribedFiles, whenThere } from './described-files.js'
import { emptyFoldersBelow, type NameQuery, namesBelow } from './file-names.js'
import { longName } from './folder-level.js'
import type { FolderIndex } from './folder-names.js'
import type { FileCount, ListedLines, ListingQuery, NamePage } from './listing.js'

export interface FileWalkServices {
  uploads: string
  index: FolderIndex
  files: DescribedFiles
}

/** Walks through the files of accounts at any depth. Synchronous, in slices: for a worker thread. */
export class FileWalk {
  readonly #services: FileWalkServices

  constructor(services: FileWalkServices) {
    this.#services = services
  }

  *list(space: Space, query: ListingQuery, arrivedAt: number): Generator<void, StoredFile[]> {
    const found: StoredFile[] = []
    const wanted = query.search.toLowerCase()
    for (const name of this.#names(space, query, arrivedAt)) {
      if (name === null) yield
      else if (wanted === '' || name.toLowerCase().includes(wanted)) {
        const file = this.#services.files.find(space, name)
        if (file) found.push(file)
        if (found.length >= query.limit) break
      }
    }
    return found
  }

  *lines(space: Space, query: NameQuery, arrivedAt: number): Generator<void, ListedLines> {
    let [lines, unverified] = ['', false]
    let last: string | null = null
    let count = 0
    for (const name of this.#names(space, query, arrivedAt)) {
      const found = name === null ? undefined : this.#services.files.record(space, name)
      if (name === null) yield
      if (!found) continue
      lines += `${JSON.stringify(found.record)}\n`
      unverified ||= found.unverified
      if (++count < linesPerRequest) continue
      last = name
      break
    }
    return { lines: new TextEncoder().encode(lines), last, unverified }
  }

  /** Those of the names that exist, in the same order. */
  *find(space: Space, names: readonly string[]): Generator<void, (StoredFile | undefined)[]> {
    const { uploads, files } = this.#services
    const top = join(uploads, space.role, space.username)
    if (!isFolder(join(uploads, space.role))) return names.map(() => undefined)
    const found: (StoredFile | undefined)[] = []
    const isReal = realFolders(top)
    for (const name of names) {
      if (found.length % looksPerSlice === looksPerSlice - 1) yield
      const isReached = isReal(dirname(join(top, name)))
      found.push(isReached ? files.find(space, name) : undefined)
    }
    return found
  }

  *emptyFolders(space: Space, query: NamePage, arrivedAt: number): Generator<void, string[]> {
    const { uploads, index } = this.#services
    const top = join(uploads, space.role, space.username)
    const folders: string[] = []
    if (!isFolder(join(uploads, space.role)) || !realFolders(top)(join(top, query.prefix))) return folders
    let looks = 0
    const read = (folder: string) => index.read(join(top, folder), folder === '', arrivedAt)
    for (const folder of emptyFoldersBelow(read, query)) {
      if (++looks % looksPerSlice === 0) yield
      if (folder === undefined || !isFolder(join(top, folder))) continue
      folders.push(folder)
      if (folders.length >= query.limit) break
    }
    return folders
  }

  /** Bytes and number of the files that `list` has. */
  *count(space: Space, prefix: string, arrivedAt: number): Generator<void, FileCount> {
    const top = join(this.#services.uploads, space.role, space.username)
    const count = { files: 0, bytes: 0 }
    for (const name of this.#names(space, { prefix, after: '' }, arrivedAt)) {
      const stats = name === null ? undefined : whenThere(() => lstatSync(join(top, name)))
      if (name === null) yield
      if (!stats?.isFile()) continue
      count.files++
      count.bytes += stats.size
    }
    return count
  }

  *longestName(space: Space, prefix: string, arrivedAt: number): Generator<void, string | undefined> {
    let longest: string | undefined
    let most = 0
    for (const name of this.#names(space, { prefix, after: '' }, arrivedAt)) {
      if (name === null) yield
      // A UTF-16 code unit takes 3 bytes at most.
      else if (name.length * 3 > most && Buffer.byteLength(name) > most) {
        longest = name
        most = Buffer.byteLength(name)
      }
    }
    return longest
  }

  /** Bytes of everything in the folder, including files that cannot be requested. */
  *measure({ role, username }: Space): Generator<void, number> {
    const folders = [join(this.#services.uploads, role, username)]
    let bytes = 0
    let looks = 0
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const path = folder
      const directory = isFolder(path) ? whenThere(() => opendirSync(path, { bufferSize: 1024 })) : undefined
      if (!directory) continue
      try {
        for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
          if (++looks % looksPerSlice === 0) yield
          const below = join(path, entry.name)
          if (entry.isDirectory()) folders.push(below)
          else if (entry.isFile()) bytes += whenThere(() => lstatSync(below))?.size ?? 0
        }
      } finally {
        directory.closeSync()
      }
    }
    return bytes
  }

  /** Names that can be requested, and null at the end of each slice. */
  *#names({ role, username }: Space, query: NameQuery, arrivedAt: number): Generator<string | null> {
    const { uploads, index } = this.#services
    if (!isFolder(join(uploads, role))) return
    const top = join(uploads, role, username)
    let looks = 0
    for (const name of namesBelow((folder) => index.read(join(top, folder), folder === '', arrivedAt), query)) {
      if (++looks % looksPerSlice === 0) yield null
      if (name.length <= longName || !faultOfName(name)) yield name
    }
  }
}

/** Whether a path leads to a folder without symbolic links in it, cached. */
function realFolders(top: string): (folder: string) => boolean {
  const known = new Map<string, boolean>()
  return function isReal(path): boolean {
    const folder = path.endsWith('/') ? path.slice(0, -1) : path
    const isKnown = known.get(folder)
    if (isKnown !== undefined) return isKnown
    const real = isFolder(folder) && (folder === top || isReal(dirname(folder)))
    known.set(folder, real)
    return real
  }
}

function isFolder(path: string): boolean {
  return whenThere(() => lstatSync(path))?.isDirectory() ?? false
}

const looksPerSlice = 512
const linesPerRequest = 4000
