import type { FileRecord } from '../../protocol/files.js'

/** Whose files. */
export interface Space {
  readonly role: string
  readonly username: string
}

export interface StoredFile extends FileRecord {
  /** A strong entity tag, quotes included (RFC 9110 section 8.8.3). */
  entityTag: string
}

/** One version of a file, open for reading: a replacement or removal meanwhile does not touch it. */
export interface OpenFile {
  readonly file: StoredFile
  /** Fills `buffer` from `position` on and returns how many bytes there were, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>
  /** Closing twice is not an error. */
  close(): Promise<void>
}

/** What must hold for a publish or a removal, by the entity tag of what is there (RFC 9110 section 13.1). */
export interface Precondition {
  /** `*`, or the tags of which one must match. */
  ifMatch?: string[] | '*'
  ifNoneMatch?: '*'
}

/**
 * The published files. Names have been checked by `parseName` before. Files that were put there by hand are files too:
 * without a digest. Symbolic links, and whatever lies beyond one, do not exist.
 */
export interface FileStore {
  find(space: Space, name: string): Promise<StoredFile | undefined>
  open(space: Space, name: string): Promise<OpenFile | undefined>
  /**
   * Gives the version that is there now a second name at `path`, on the same file system, for readers that take paths: a
   * replacement or removal of the file does not touch it. Undefined when the file is missing.
   */
  linkTo(space: Space, name: string, path: string): Promise<StoredFile | undefined>
  /**
   * In the order of the names' UTF-16 code units, those after `after` only; where `search` is given, those whose names
   * contain it, regardless of case.
   */
  list(space: Space, query: { prefix: string; after: string; limit: number; search?: string }): Promise<StoredFile[]>
  /** Throws `name-conflict` where the name is a folder, or one of its folders is a file. */
  checkName(space: Space, name: string): Promise<void>
  /** False when it is missing. Throws `precondition-failed`. */
  remove(space: Space, name: string, precondition?: Precondition): Promise<boolean>
  /** Throws `file-not-found`, `name-conflict`, and `precondition-failed` where `to` exists. */
  move(space: Space, from: string, to: string): Promise<StoredFile>
  /** Bytes of all files of the account. */
  usage(space: Space): Promise<number>
  /** Removes every file of the account. Removing what is missing is not an error. */
  removeSpace(space: Space): Promise<void>

  /** Begins the reception of a file under an id of its own. */
  createPartial(id: string): Promise<Partial>
  /** Takes up a partial that an earlier run left; undefined when there is none. */
  reopenPartial(id: string): Promise<Partial | undefined>
  /** As `Partial.note`, of a partial that nobody has open. */
  notePartial(id: string, note: object): Promise<void>
  /** What earlier runs left: every partial with its note, and notes whose partial is gone. */
  listPartials(): Promise<KeptPartial[]>
  /** Removes a partial that nobody has open, with its note. Removing a missing one is not an error. */
  removePartial(id: string): Promise<void>
  /** How many partials there are, and their bytes together. */
  partialUsage(): Promise<{ count: number; bytes: number }>
  /** Bytes that can still be written to the disk that the partials are on. */
  freeBytes(): Promise<number>
}

/** What a run finds of a partial of an earlier one. */
export interface KeptPartial {
  readonly id: string
  /** Bytes; null where only the note is left: it was published, and the server ended before it could say so. */
  readonly size: number | null
  readonly modifiedAt: Date
  /** As `Partial.note` was given it; undefined where there is none, or a damaged one. */
  readonly note: unknown
}

/** Bytes received and not yet published. One writer at a time. */
export interface Partial {
  readonly id: string
  /** Bytes written: where the next write goes. */
  readonly size: number
  /** Appends the first `length` bytes of `buffer`, which must not change until the promise resolves. Throws `disk-full`. */
  append(buffer: Buffer, length: number): Promise<void>
  /** Cuts it back to `size` bytes. */
  truncate(size: number): Promise<void>
  /** Resolves when all that was appended is on disk. */
  sync(): Promise<void>
  /** Keeps beside it, durably, what a later run needs to go on with it, as JSON. The newest note counts. */
  note(note: object): Promise<void>
  /** Of all that was appended, as 64 hexadecimal digits. */
  sha256(): Promise<string>
  /**
   * Makes it the file `name`, in one step and durably: readers see the old file or the new one. `sync` comes first.
   * Throws `name-conflict` and `precondition-failed`; the partial is still there then.
   */
  publish(target: {
    space: Space
    name: string
    type: string
    sha256: string
    precondition?: Precondition
  }): Promise<{ file: StoredFile; created: boolean }>
  /** Closes and removes it, and its note, which a publish leaves. Removing twice, or after the publish, is not an error. */
  remove(): Promise<void>
  /** Closes it and keeps what was written, for `reopenPartial`. */
  close(): Promise<void>
}
