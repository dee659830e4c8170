import type { Space, StoredFile } from './files.js'
import type { Precondition } from './precondition.js'

/** A folder: its name ends with a slash. */
export interface StoredFolder {
  name: string
  /** Files and bytes of everything below it; null until they are counted. They may lag behind while it changes. */
  files: number | null
  bytes: number | null
  /** RFC 3339: when an entry was last added, removed or replaced. */
  modifiedAt: string
}

/** How the entries of a level are sorted. Equal ones are sorted by UTF-16 code units of their names. */
export interface LevelOrder {
  /** Applies to files: folders come before them, by name. */
  sort: 'name' | 'size' | 'date'
  order: 'asc' | 'desc'
  /** Compares digits in names as numbers. */
  natural: boolean
  ignoreCase: boolean
}

export interface LevelQuery extends LevelOrder {
  /** Up to its last slash the folder to list, and after that a prefix of the names in it. */
  prefix: string
  /** Only entries whose own name, without the folder, contains it, case-insensitive. */
  search: string
  /** `next` of the previous page. It stays valid while entries are added and removed. */
  cursor: string | undefined
  limit: number
}

/** One page of a folder's entries, with the totals of all pages. */
export interface Level {
  folders: StoredFolder[]
  files: StoredFile[]
  totals: {
    files: number
    folders: number
    /** Of everything below, at any depth; null until it is counted. */
    bytes: number | null
  }
  next: string | null
}

/**
 * Folders: they exist as long as they hold files, or because they were created. Their names were validated by
 * `parseFolder` and end with a slash. Symbolic links, and everything behind them, do not exist.
 */
export interface Folders {
  /** A missing folder has no entries. Throws `invalid-request` for an unknown cursor. */
  list(space: Space, query: LevelQuery): Promise<Level>
  /** The next records of all files with the prefix, as `PublishedFiles.list` sorts them, as lines of JSON (NDJSON). */
  records(space: Space, query: { prefix: string; after: string }): Promise<FileLines>
  exists(space: Space, folder: string): Promise<boolean>
  /**
   * Creates a folder that is kept while it is empty, until it is removed. Returns false if it existed; then it is kept
   * from now on. Throws `name-conflict` if the name is a file, or lies below one.
   */
  create(space: Space, folder: string): Promise<boolean>
  /**
   * Removes the folder with everything in it, in one step: it is gone, and its bytes are not counted, when the promise
   * resolves. False if it is missing. Throws `precondition-failed`, and with `onlyEmpty` `name-conflict` if there is
   * anything in it.
   */
  remove(
    space: Space,
    folder: string,
    options?: { precondition?: Precondition | undefined; onlyEmpty?: boolean },
  ): Promise<boolean>
  /**
   * Moves the folder with everything in it, in one step. Throws `file-not-found`, `name-conflict` if `to` exists, lies
   * below a file or within `from`, and `precondition-failed`.
   */
  move(space: Space, from: string, to: string, precondition?: Precondition): Promise<void>
}

export interface FileLines {
  lines: Uint8Array
  /** `after` of the next call; null if these were the last ones. */
  last: string | null
}
