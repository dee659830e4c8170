import { lstatSync } from 'node:fs'
import type { FolderIndex, FolderNames } from './folder-names.js'

/** What `lstat` says of a folder's entries, in the order of their names. Folders have zeros. */
export interface EntryStats {
  readonly names: FolderNames
  readonly sizes: Float64Array
  /** Milliseconds since 1970. */
  readonly times: Float64Array
  readonly files: number
  readonly bytes: number
}

export interface FolderCount {
  files: number
  bytes: number
}

/**
 * Counts the files below folders. The stats of a folder's entries are kept as long as the index keeps its names. Work is
 * done in slices, so that it can alternate with other work of the thread.
 */
export class FolderCounts {
  readonly #index: FolderIndex
  readonly #stats = new WeakMap<FolderNames, EntryStats>()
  /** By path, the oldest first: for folders that hold so many others that even comparing them takes long. */
  readonly #last = new Map<string, FolderCount>()

  constructor(index: FolderIndex) {
    this.#index = index
  }

  /** Of the entries of one folder; `path` is absolute. */
  *stats(path: string, isTop: boolean, since: number): Generator<void, EntryStats> {
    const names = this.#index.read(path, isTop, since)
    const known = this.#stats.get(names)
    if (known) return known
    const sizes = new Float64Array(names.length)
    const times = new Float64Array(names.length)
    let [files, bytes] = [0, 0]
    for (const [at, name] of names.entries()) {
      if (at % looksPerSlice === looksPerSlice - 1) yield
      if (name.endsWith('/')) continue
      const stats = lookAt(`${path}/${name}`)
      if (!stats?.isFile()) continue
      sizes[at] = stats.size
      times[at] = stats.mtimeMs
      files += 1
      bytes += stats.size
    }
    const found = { names, sizes, times, files, bytes }
    this.#stats.set(names, found)
    return found
  }

  /** Of everything below one folder. */
  *count(path: string, isTop: boolean, since: number): Generator<void, FolderCount> {
    const total = { files: 0, bytes: 0 }
    const folders = [path]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      yield
      const { names, files, bytes } = yield* this.stats(folder, isTop && folder === path, since)
      total.files += files
      total.bytes += bytes
      for (const name of names) if (name.endsWith('/')) folders.push(`${folder}/${name.slice(0, -1)}`)
    }
    this.#keepLast(path, total)
    return total
  }

  /** The last result of `count`, which may be outdated. */
  last(path: string): FolderCount | undefined {
    return this.#last.get(path)
  }

  #keepLast(path: string, count: FolderCount): void {
    this.#last.delete(path)
    this.#last.set(path, count)
    for (const oldest of this.#last.keys()) {
      if (this.#last.size <= maxLast) return
      this.#last.delete(oldest)
    }
  }
}

function lookAt(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

const looksPerSlice = 256
const maxLast = 10_000
