import type { BigIntStats } from 'node:fs'

export interface KnownDigest {
  /** In hexadecimal digits. */
  sha256: string
  type: string
}

export interface KnownDigestsOptions {
  /** How many are kept, default 200,000, which take about 20 MB. */
  maxFiles?: number
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

/**
 * Remembers the digests of files by their inode, size and times, so that a list that is repeated reads no metadata.
 * Each change of a file, a rename included, changes its ctime.
 */
export class KnownDigests {
  readonly #maxFiles: number
  readonly #now: () => number
  readonly #indexes = new Map<bigint, number>()
  #sizes = new BigInt64Array(1024)
  #mtimes = new BigInt64Array(1024)
  #ctimes = new BigInt64Array(1024)
  #digests = Buffer.alloc(1024 * digestBytes)
  #types: string[] = []

  constructor({ maxFiles = 200_000, now = Date.now }: KnownDigestsOptions = {}) {
    this.#maxFiles = maxFiles
    this.#now = now
  }

  find({ ino, size, mtimeNs, ctimeNs }: BigIntStats): KnownDigest | undefined {
    const at = this.#indexes.get(ino)
    if (at === undefined || this.#ctimes[at] !== ctimeNs) return undefined
    if (this.#sizes[at] !== size || this.#mtimes[at] !== mtimeNs) return undefined
    return { sha256: this.#digests.toString('hex', at * digestBytes, (at + 1) * digestBytes), type: this.#types[at]! }
  }

  /**
   * Ignores a file that changed so recently that a later change may have the same ctime, and one with several names:
   * their types differ.
   */
  add({ ino, nlink, size, mtimeNs, ctimeNs }: BigIntStats, { sha256, type }: KnownDigest): void {
    if (nlink > 1n) return
    if (Math.abs(this.#now() - Number(ctimeNs / 1_000_000n)) < recentMs) return
    if (!this.#indexes.has(ino) && this.#indexes.size >= this.#maxFiles) this.#clear()
    const at = this.#indexes.get(ino) ?? this.#indexes.size
    if (at >= this.#sizes.length) this.#grow()
    this.#indexes.set(ino, at)
    this.#sizes[at] = size
    this.#mtimes[at] = mtimeNs
    this.#ctimes[at] = ctimeNs
    this.#digests.write(sha256, at * digestBytes, 'hex')
    this.#types[at] = type
  }

  #clear(): void {
    this.#indexes.clear()
    this.#types = []
  }

  #grow(): void {
    const length = this.#sizes.length * 2
    const grown = (array: BigInt64Array<ArrayBuffer>) => {
      const larger = new BigInt64Array(length)
      larger.set(array)
      return larger
    }
    this.#sizes = grown(this.#sizes)
    this.#mtimes = grown(this.#mtimes)
    this.#ctimes = grown(this.#ctimes)
    this.#digests = Buffer.concat([this.#digests], length * digestBytes)
  }
}

const digestBytes = 32
/** File systems take times from a clock that ticks every few milliseconds, some in whole seconds. */
const recentMs = 2100
