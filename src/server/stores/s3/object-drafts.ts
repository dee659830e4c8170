import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { Digests } from '../local/digests.js'
import { partialPath } from '../local/partial-folder.js'
import { LocalPartials } from '../local/partials.js'
import type { PartialFile } from '../partials.js'
import type { SentChunks } from './bucket-requests.js'
import type { ObjectSource } from './content-digests.js'
import { SpoolSpace } from './spool-space.js'

/** The bytes of an object that is not stored yet. */
export interface ObjectDraft {
  readonly size: number
  readonly source: ObjectSource
  append(bytes: Buffer): Promise<void>
  truncate(size: number): Promise<void>
  open(): SentChunks | Uint8Array
  /** Removing twice is not an error. */
  remove(): Promise<void>
}

/**
 * Where objects are collected: those of quick senders in memory, as far as there is some left, and all others in files of a
 * scratch folder, so that memory depends neither on the number of slow senders nor on their patience.
 */
export class ObjectDrafts {
  readonly #scratch: string
  readonly #spool: LocalPartials
  readonly #memory = new DraftMemory()
  readonly #space: SpoolSpace

  /** `maxBytes`: of the files. */
  constructor(scratch: string, maxBytes: number) {
    this.#scratch = scratch
    this.#space = new SpoolSpace(maxBytes)
    const publish = () => Promise.reject(new Error('What is in the spool is published from the bucket.'))
    this.#spool = new LocalPartials({ folder: scratch, digests: noDigests, publishing: { publish } })
  }

  /**
   * For an object of up to `maxBytes`, whose first `firstBytes` are there. Waits for space in the scratch folder; rejects with the
   * reason of the signal.
   */
  async create(maxBytes: number, firstBytes: number, signal: AbortSignal): Promise<ObjectDraft> {
    const isQuick = firstBytes >= quickBytes && maxBytes <= blockBytes
    const block = isQuick ? this.#memory.take() : undefined
    if (block) return new MemoryDraft(block, () => this.#memory.give(block))
    await this.#space.take(maxBytes, signal)
    try {
      const file = await this.#spool.create(randomUUID())
      return new SpooledDraft(file, this.#scratch, () => this.#space.give(maxBytes))
    } catch (error) {
      this.#space.give(maxBytes)
      throw error
    }
  }

  close(): Promise<void> {
    return this.#spool.close()
  }
}

/** Blocks within a budget, which are used again: allocating and faulting in each costs more than filling it. */
class DraftMemory {
  readonly #free: SharedArrayBuffer[] = []
  #count = 0

  take(): SharedArrayBuffer | undefined {
    const free = this.#free.pop()
    if (free || this.#count === maxBlocks) return free
    this.#count++
    return new SharedArrayBuffer(blockBytes)
  }

  give(block: SharedArrayBuffer): void {
    this.#free.push(block)
  }
}

class MemoryDraft implements ObjectDraft {
  readonly source: { memory: SharedArrayBuffer }
  readonly #bytes: Buffer
  #free: (() => void) | null
  size = 0

  constructor(memory: SharedArrayBuffer, free: () => void) {
    this.source = { memory }
    this.#bytes = Buffer.from(memory)
    this.#free = free
  }

  async append(bytes: Buffer): Promise<void> {
    // It may have another owner by now.
    if (!this.#free) throw new Error('The draft was removed.')
    this.#bytes.set(bytes, this.size)
    this.size += bytes.length
  }

  async truncate(size: number): Promise<void> {
    this.size = size
  }

  open(): Uint8Array {
    return this.#bytes.subarray(0, this.size)
  }

  async remove(): Promise<void> {
    this.#free?.()
    this.#free = null
  }
}

class SpooledDraft implements ObjectDraft {
  readonly source: { path: string }
  readonly #file: PartialFile
  #free: (() => void) | null

  constructor(file: PartialFile, scratch: string, free: () => void) {
    this.#file = file
    this.#free = free
    this.source = { path: partialPath(scratch, file.id) }
  }

  get size(): number {
    return this.#file.size
  }

  append(bytes: Buffer): Promise<void> {
    return this.#file.append(bytes, bytes.length)
  }

  truncate(size: number): Promise<void> {
    return this.#file.truncate(size)
  }

  open(): SentChunks {
    return chunksOf(this.source.path)
  }

  async remove(): Promise<void> {
    await this.#file.remove()
    this.#free?.()
    this.#free = null
  }
}

/** All in one buffer: as garbage, that of a few hundred objects would be most of the memory. */
async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path)
  try {
    const buffer = Buffer.allocUnsafeSlow(chunkBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

const chunkBytes = 64 * 1024

/** They are computed when an object is complete. */
const noDigests: Digests = {
  open: () => ({
    follow() {},
    add() {},
    digest: () => Promise.reject(new Error('Drafts have no digests.')),
    async forget() {},
  }),
  async close() {},
}

const blockBytes = 8 * 1024 ** 2
/** For two or three quick senders: three of each are in use. */
const maxBlocks = 8
/** Of a sender whose writes have become this large. */
const quickBytes = 256 * 1024
