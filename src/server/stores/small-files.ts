import type { Space, StoredFile } from './files.js'
import type { Precondition } from './precondition.js'

/** A small file, whole in memory. */
export interface NewFile {
  /** Validated by `parseName`. */
  name: string
  bytes: Uint8Array
  /** Media type. */
  type: string
  /** As declared by the client, in hexadecimal digits; null if it declared none. */
  sha256: string | null
  precondition?: Precondition
}

/**
 * `unchanged`: the current file has the same bytes, and nothing was written. `failed`: with a `Problem` or the system's
 * error; the name is as it was before.
 */
export type NewFileResult =
  | { status: 'new' | 'replaced' | 'unchanged'; file: StoredFile }
  | { status: 'failed'; error: Error }

/** Publishes small files many at a time, because each one alone would cost more than its bytes. */
export interface SmallFiles {
  /** Files are about to follow: what the first of them would wait for may begin. */
  prepare(): void
  /**
   * Publishes each file atomically: readers see the old file or the new one. Resolves with a result for each, in order,
   * when all of them are durable. A failure of one concerns no other: `digest-mismatch`, `name-conflict`,
   * `precondition-failed`, `disk-full`. The names must differ. Rejects only if nothing was tried, for example with
   * `storage-unavailable`.
   */
  publish(space: Space, files: readonly NewFile[]): Promise<NewFileResult[]>
}

/** A batch is complete with one of them: more files cost less each, but are acknowledged later. */
export const batchLimits = { files: 128, bytes: 2 * 1024 ** 2 }
