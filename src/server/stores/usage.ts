import type { Space } from './files.js'

/** Bytes of everything that counts towards quotas: files and tables. What is under way does not count. */
export interface Usage {
  of(space: Space): Promise<number>
  /** Of all accounts that have something, by their `role:username`. */
  all(): Promise<ReadonlyMap<string, number>>
}
