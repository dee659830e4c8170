import type { DigestAlgorithm, Space, StoredFile } from './files.js'
import type { Precondition } from './precondition.js'

/** Unpublished bytes of uploads and imports. An id is a job's, or starts with it. */
export interface Partials {
  /** Creates an empty one. Throws if the id is taken, and `disk-full`. */
  create(id: string): Promise<PartialFile>
  /** Opens a closed one, to append; undefined if none exists. From then on it belongs to this caller. */
  take(id: string): Promise<PartialFile | undefined>
  /** Like `PartialFile.saveState`, for a closed one. */
  saveState(id: string, state: object): Promise<void>
  /** A closed one, or the state of one that is published; undefined if there is none. */
  find(id: string): Promise<AbandonedPartial | undefined>
  /** Those left by earlier servers, and states whose partial is published. */
  listAbandoned(): Promise<AbandonedPartial[]>
  /** Removes a closed one, with its state. Removing a missing one is not an error. */
  remove(id: string): Promise<void>
  /** Their number and total bytes. */
  usage(): Promise<{ count: number; bytes: number }>
}

export interface AbandonedPartial {
  readonly id: string
  /** Bytes; null if only the state exists: it was published, and the server ended before it recorded that. */
  readonly size: number | null
  readonly modifiedAt: Date
  /** As saved; undefined if missing or damaged. */
  readonly state: unknown
}

/** One partial, open for its one writer. */
export interface PartialFile {
  readonly id: string
  /** Bytes written: the offset of the next write. */
  readonly size: number
  /**
   * Appends the first `length` bytes of `buffer`, which must not change until the promise settles. Those of many partials are
   * written together if threads share their memory. Throws `disk-full`.
   */
  append(buffer: Buffer, length: number): Promise<void>
  /** Truncates it to `size` bytes: at most one byte less than the last `sync` has made durable. */
  truncate(size: number): Promise<void>
  /** Resolves when all appended bytes are durable. */
  sync(): Promise<void>
  /** Saves beside it, durably, the JSON state that a later run needs to resume it. Replaces the previous state. */
  saveState(state: object): Promise<void>
  /** Also computes this digest while bytes are appended. Without this call, `digest` reads the whole partial again. */
  follow(algorithm: DigestAlgorithm): void
  /** Of all appended bytes, in hexadecimal digits. */
  digest(algorithm: DigestAlgorithm): Promise<string>
  /**
   * Publishes it as the file `name`, atomically and durably: readers see the old file or the new one. Call `sync`
   * before. Throws `name-conflict` and `precondition-failed`; the partial still exists then. Its state stays until
   * `remove`.
   */
  publish(target: PublishTarget): Promise<PublishedPartial>
  /**
   * Closes and removes it, with its state; writes that have not started are dropped. Removing twice, or after the
   * publish, is not an error.
   */
  remove(): Promise<void>
  /** Closes it and keeps its bytes and its state, for `Partials.take`. Closing twice is not an error. */
  close(): Promise<void>
}

export interface PublishedPartial {
  file: StoredFile
  /** False if it has replaced a file. */
  created: boolean
}

export interface PublishTarget {
  space: Space
  name: string
  /** Media type. */
  type: string
  sha256: string
  precondition?: Precondition
  /**
   * Whether it gets a `numberedName` that is free where a file or folder has the name, instead of replacing anything; default
   * false. Not in a stage.
   */
  isNumbered?: boolean
  /** The id of an open stage, whose file it becomes instead. */
  stage?: string
}
