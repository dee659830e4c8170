import { type BigIntStats, lstatSync, readdirSync } from 'node:fs'
import { fileFault, isUnreachable } from '../../../protocol/file-errors.js'
import { faultOfName } from '../../../protocol/file-name.js'

/** The entries of a folder, sorted by UTF-16 code units: `name` for a regular file, `name/` for a folder. */
export type FolderNames = readonly string[]

export interface FolderIndexOptions {
  /** The size of the cache in names, where a folder counts as ten; default 500,000, which take about 50 MB. */
  maxNames?: number
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

interface Kept {
  names: FolderNames
  stamp: string
  /** When reading it started, by `performance.now()`. */
  readAt: number
  /** False if the folder changed so shortly before it was read that a later change may have the same time. */
  settled: boolean
}

/**
 * A cache of the sorted names of folders, valid while a folder's inode, mtime and ctime stay the same. Names that
 * cannot be requested are omitted. Synchronous: for a worker thread.
 */
export class FolderIndex {
  readonly #kept = new Map<string, Kept>()
  readonly #maxNames: number
  readonly #now: () => number
  #size = 0

  constructor({ maxNames = 500_000, now = Date.now }: FolderIndexOptions = {}) {
    this.#maxNames = maxNames
    this.#now = now
  }

  /**
   * Empty if the folder is missing, unreadable, or a symbolic link. `isTop`: its entries are first segments. `since`:
   * names that were read after this time are sufficient, by `performance.now()`, so that requests for a changing folder
   * share one reading; default now.
   */
  read(folder: string, isTop: boolean, since = performance.now()): FolderNames {
    const stats = whenReadable(() => lstatSync(folder, { bigint: true }))
    if (!stats?.isDirectory()) return this.#forget(folder)
    const stamp = `${stats.dev}/${stats.ino}/${stats.mtimeNs}/${stats.ctimeNs}`
    const kept = this.#kept.get(folder)
    if (kept && (kept.readAt > since || (kept.settled && kept.stamp === stamp))) {
      // Moved to the end: the first entry is evicted first.
      this.#kept.delete(folder)
      this.#kept.set(folder, kept)
      return kept.names
    }
    this.#forget(folder)
    const settled = isSettled(stats, this.#now())
    const readAt = performance.now()
    const names = whenReadable(() => readNames(folder, isTop)) ?? []
    this.#keep(folder, { names, stamp, readAt, settled })
    return names
  }

  #keep(folder: string, kept: Kept): void {
    this.#kept.set(folder, kept)
    this.#size += weightOf(kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#size <= this.#maxNames || oldest === folder) return
      this.#forget(oldest)
    }
  }

  #forget(folder: string): FolderNames {
    const kept = this.#kept.get(folder)
    if (kept) this.#size -= weightOf(kept)
    this.#kept.delete(folder)
    return []
  }
}

/** Without a base weight, the number of small folders would be unlimited. */
function weightOf({ names }: Kept): number {
  return names.length + 10
}

function readNames(folder: string, isTop: boolean): string[] {
  const names: string[] = []
  // Sorted by bytes, unlike the entries of `opendirSync`: so there is little left to sort.
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const isFolder = entry.isDirectory()
    if (!isFolder && !entry.isFile()) continue
    if (!canBeNamed(entry.name, isTop)) continue
    names.push(isFolder ? `${entry.name}/` : entry.name)
  }
  return names.sort()
}

function canBeNamed(segment: string, isTop: boolean): boolean {
  if (plain.test(segment) && segment.length <= 200) return true
  return faultOfName(isTop ? segment : `x/${segment}`) === undefined
}

/** Matches most names, for speed. None of them has a prefix such as `ops:`. */
const plain = /^[0-9A-Za-z_-][0-9A-Za-z_. -]*$/

/**
 * File systems take times from a clock that ticks every few milliseconds, some in whole seconds: a second change within
 * a tick is invisible.
 */
function isSettled({ mtimeNs, ctimeNs }: BigIntStats, now: number): boolean {
  const newest = mtimeNs > ctimeNs ? mtimeNs : ctimeNs
  const tickMs = mtimeNs % 1_000_000_000n === 0n ? 2100 : 50
  return Math.abs(now - Number(newest / 1_000_000n)) > tickMs
}

function whenReadable<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isUnreachable(error) && fileFault(error) !== 'forbidden') throw error
    return undefined
  }
}
