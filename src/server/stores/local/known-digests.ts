import type { FileStamp } from './file-stamp.js'

/** What a list says of a file and its stats do not. */
export interface KnownDigest {
  /** In hexadecimal digits. */
  sha256: string
  type: string
  /** See `StoredFile`. */
  isDateStrong: boolean
}

/** All that is known. Each array has the files in the same order. */
export interface KnownFiles {
  types: readonly string[]
  /** Inode, size, mtime and ctime of each. */
  stamps: Float64Array
  /** 32 bytes each. */
  digests: Uint8Array
  /** Of each, the number of its type, and in the last bit `isDateStrong`. */
  about: Uint32Array
}

export interface KnownDigestsOptions {
  /** How many are kept, default 200,000, which take 20 MB. */
  maxFiles?: number
  /** The clock, in milliseconds since 1970; default `Date.now`. */
  now?: () => number
}

/**
 * Remembers the digests of files by their inode, size and times, so that a list of them reads no metadata. Each change of
 * a file, a rename included, changes its ctime.
 */
export class KnownDigests {
  readonly #maxFiles: number
  readonly #now: () => number
  readonly #types: string[] = []
  readonly #typeNumbers = new Map<string, number>()
  #count = 0
  #table = new Table(1024)

  constructor({ maxFiles = 200_000, now = Date.now }: KnownDigestsOptions = {}) {
    this.#maxFiles = maxFiles
    this.#now = now
  }

  find(stamp: FileStamp): KnownDigest | undefined {
    const { positions, stamps, digests, about } = this.#table
    const at = positions[this.#table.slotOf(stamp.ino)]! - 1
    if (at < 0 || stamp.nlink > 1) return undefined
    const field = at * stampFields
    if (stamps[field + 1] !== stamp.size || stamps[field + 2] !== stamp.mtimeMs) return undefined
    if (stamps[field + 3] !== stamp.ctimeMs) return undefined
    const sha256 = digests.toString('hex', at * digestBytes, (at + 1) * digestBytes)
    const bits = about[at]!
    return { sha256, type: this.#types[bits >>> 1]!, isDateStrong: (bits & 1) === 1 }
  }

  /** For a file that was read. Ignores it if it changed so recently that a later change may have the same ctime. */
  add(stamp: FileStamp, digest: KnownDigest): void {
    if (Math.abs(this.#now() - stamp.ctimeMs) >= recentMs) this.addPublished(stamp, digest)
  }

  /**
   * For a file as its publish left it: a change in the same tick of the clock has the same mtime, too, and would be
   * invisible in any case. Ignores a file with several names: their types differ.
   */
  addPublished(stamp: FileStamp, { sha256, type, isDateStrong }: KnownDigest): void {
    if (stamp.nlink > 1) return
    if (this.#count >= this.#maxFiles || this.#types.length > maxTypes) this.#clear()
    if (this.#count === this.#table.capacity) this.#table = this.#table.enlarged()
    const { positions, stamps, digests, about } = this.#table
    const slot = this.#table.slotOf(stamp.ino)
    positions[slot] ||= ++this.#count
    const at = positions[slot]! - 1
    stamps.set([stamp.ino, stamp.size, stamp.mtimeMs, stamp.ctimeMs], at * stampFields)
    digests.write(sha256, at * digestBytes, 'hex')
    about[at] = (this.#numberOf(type) << 1) | Number(isDateStrong)
  }

  get files(): KnownFiles {
    const { stamps, digests, about } = this.#table
    const count = this.#count
    return {
      types: [...this.#types],
      stamps: stamps.subarray(0, count * stampFields),
      digests: digests.subarray(0, count * digestBytes),
      about: about.subarray(0, count),
    }
  }

  /** Replaces all that is known. */
  replace(files: KnownFiles): void {
    this.#clear()
    if (files.about.length > this.#maxFiles) return
    for (const type of files.types) this.#numberOf(type)
    this.#count = files.about.length
    this.#table = Table.of(2 ** Math.max(10, Math.ceil(Math.log2(this.#count || 1))), files)
  }

  #numberOf(type: string): number {
    const known = this.#typeNumbers.get(type)
    if (known !== undefined) return known
    this.#typeNumbers.set(type, this.#types.length)
    return this.#types.push(type) - 1
  }

  #clear(): void {
    this.#count = 0
    this.#types.length = 0
    this.#typeNumbers.clear()
    this.#table = new Table(1024)
  }
}

/** `KnownFiles` as a hash table by inode: a map of objects would take several times the memory. */
class Table {
  readonly capacity: number
  /** Of each slot, its position in the other arrays plus 1; 0 if it is free. */
  readonly positions: Uint32Array
  readonly stamps: Float64Array
  readonly digests: Buffer
  readonly about: Uint32Array

  /** `capacity`: a power of two. */
  constructor(capacity: number) {
    this.capacity = capacity
    this.positions = new Uint32Array(capacity * 2)
    this.stamps = new Float64Array(capacity * stampFields)
    this.digests = Buffer.alloc(capacity * digestBytes)
    this.about = new Uint32Array(capacity)
  }

  /** The slot of the inode, or the free one that it would take. */
  slotOf(ino: number): number {
    const mask = this.positions.length - 1
    for (let slot = Math.imul(ino, 0x9e3779b1) >>> 8; ; slot++) {
      const position = this.positions[slot & mask]!
      if (position === 0 || this.stamps[(position - 1) * stampFields] === ino) return slot & mask
    }
  }

  enlarged(): Table {
    return Table.of(this.capacity * 2, this)
  }

  static of(capacity: number, { stamps, digests, about }: Omit<KnownFiles, 'types'>): Table {
    const table = new Table(capacity)
    table.stamps.set(stamps)
    table.digests.set(digests)
    table.about.set(about)
    for (let at = 0; at < about.length; at++) table.positions[table.slotOf(stamps[at * stampFields]!)] = at + 1
    return table
  }
}

const stampFields = 4
const digestBytes = 32
/** Clients may name any. */
const maxTypes = 1000
/** File systems take times from a clock that ticks every few milliseconds, some in whole seconds. */
const recentMs = 2100
