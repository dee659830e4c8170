import type { FileRecord } from '../../protocol/files.js'
import type { Precondition } from './precondition.js'

export type DigestAlgorithm = 'sha256' | 'sha512'

/** In hexadecimal digits. */
export type DeclaredDigests = { readonly [algorithm in DigestAlgorithm]?: string }

/** The account that owns the files. */
export interface Space {
  readonly role: string
  readonly username: string
}

export interface StoredFile extends FileRecord {
  /** Opaque: identifies these bytes, also after another version has replaced them. */
  version: string
  /** A strong entity tag, quotes included (RFC 9110 section 8.8.3). */
  entityTag: string
  /** Milliseconds since 1970. */
  lastModified: number
  /** False if an earlier version is known to have the same date in whole seconds (RFC 9110 section 8.8.2.2). */
  isDateStrong: boolean
  /** Set if the bytes are known not to be those that were stored: they must not be served. */
  damaged?: true
  /** Set if the bytes may not be those that were stored: `open` compares them first. */
  unverified?: true
}

/** One version of a file, open for reading: replacing or removing the file does not affect it. */
export interface OpenFile {
  readonly file: StoredFile
  /** Fills `buffer` from `position` and returns the number of bytes, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>
  /** False if another program has written to the file since it was opened. */
  isUnchanged(): Promise<boolean>
  /** A read under way ends soon: it may fail. Closing twice is not an error. */
  close(): Promise<void>
}

/**
 * The published files. Names were validated by `parseName`. Files that were added by hand are included, without a
 * digest. Symbolic links, and everything behind them, do not exist.
 */
export interface PublishedFiles {
  /** Also finds damaged files, which are marked. */
  find(space: Space, name: string): Promise<StoredFile | undefined>
  /** Throws `file-damaged`, as do reads of the last bytes if the damage is detected only then. */
  open(space: Space, name: string): Promise<OpenFile | undefined>
  /**
   * The bytes of small files, for which opening each takes longer than reading it. Undefined for a file that is not this
   * version any more, or must be opened for another reason.
   */
  readSmall(space: Space, files: readonly StoredFile[]): Promise<(Uint8Array | undefined)[]>
  /**
   * Provides the current version at a path of this machine, in a scratch folder, for readers that need paths: replacing
   * or removing the file does not affect it. It may take as long as a download. Undefined if the file is missing.
   * Throws `file-damaged` and the signal's reason; the caller removes the file at the path in any case.
   */
  place(space: Space, name: string, path: string, signal: AbortSignal): Promise<StoredFile | undefined>
  /**
   * Sorted by UTF-16 code units, names after `after` only; with `search`, only names that contain it, case-insensitive.
   * Files that cannot be requested are omitted.
   */
  list(space: Space, query: { prefix: string; after: string; limit: number; search?: string }): Promise<StoredFile[]>
  /**
   * The files with these names; undefined for a missing one. They may be older than pending changes of files. No folder
   * of them is moved or removed meanwhile.
   */
  findMany(space: Space, names: readonly string[]): Promise<(StoredFile | undefined)[]>
  /** The empty folders below `prefix`, and itself, with a slash at the end; sorted, paged as `list`. */
  listEmptyFolders(space: Space, query: { prefix: string; after: string; limit: number }): Promise<string[]>
  /** The number of files that `list` has below `prefix`, and of their bytes. */
  measure(space: Space, prefix: string): Promise<{ files: number; bytes: number }>
  /** Throws `name-conflict` if the name is a folder, or one of its folders is a file. */
  checkName(space: Space, name: string): Promise<void>
  /** False if it is missing. Throws `precondition-failed`. */
  remove(space: Space, name: string, precondition?: Precondition): Promise<boolean>
  /**
   * Throws `file-not-found`, `name-conflict`, and `precondition-failed` if `to` exists, or `precondition` is false for
   * `from`.
   */
  move(space: Space, from: string, to: string, precondition?: Precondition): Promise<StoredFile>
  /** Bytes of all files of the account. */
  usage(space: Space): Promise<number>
  /** Removes every file of the account, in one step. Repeating it is not an error. */
  removeSpace(space: Space): Promise<void>
}
