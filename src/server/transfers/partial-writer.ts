import { Writable } from 'node:stream'
import type { Partial } from '../stores/files.js'
import { type BufferPool, BufferSize } from './buffers.js'
import type { ChunkMemory } from './chunk-memory.js'
import type { Flow } from './flow.js'

/** What all uploads share. */
export interface ReceivingMemory {
  pool: BufferPool
  chunks: ChunkMemory
}

/**
 * The end of an upload's stream: lets each chunk through the flow and gathers chunks of a socket's size into writes of
 * up to a megabyte, one buffer being filled while the other is written. `close` comes after the last write has ended.
 */
export class PartialWriter extends Writable {
  readonly #partial: Partial
  readonly #flow: Flow
  readonly #pool: BufferPool
  readonly #chunks: ChunkMemory
  readonly #size = new BufferSize()
  readonly #isWorthKeeping: () => boolean
  #buffer: Buffer | null = null
  #filled = 0
  #writing: Promise<void> = Promise.resolve()

  /** `isWorthKeeping` says, when the stream ends early, whether what was accepted is still to be written. */
  constructor(partial: Partial, flow: Flow, { pool, chunks }: ReceivingMemory, isWorthKeeping: () => boolean) {
    super({ highWaterMark: 256 * 1024 })
    this.#partial = partial
    this.#flow = flow
    this.#pool = pool
    this.#chunks = chunks
    this.#isWorthKeeping = isWorthKeeping
  }

  override _write(chunk: Buffer, _: BufferEncoding, callback: (error?: Error | null) => void): void {
    let passed: undefined | Promise<void>
    try {
      passed = this.#flow.pass(chunk.length)
    } catch (error) {
      callback(error as Error)
      return
    }
    if (!passed && this.#buffer && chunk.length < this.#buffer.length - this.#filled) {
      this.#filled += chunk.copy(this.#buffer, this.#filled)
      this.#chunks.copied(chunk.length)
      callback()
      return
    }
    this.#gather(chunk, passed).then(() => callback(), callback)
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#flush()
    this.#writing.then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error && this.#isWorthKeeping()) this.#flush()
    this.#writing
      .catch(() => {})
      .finally(() => {
        if (this.#buffer) this.#pool.give(this.#buffer)
        this.#buffer = null
        callback(error)
      })
  }

  async #gather(chunk: Buffer, passed: undefined | Promise<void>): Promise<void> {
    await passed
    if (this.destroyed) return
    for (let offset = 0; offset < chunk.length; ) {
      this.#buffer ??= this.#pool.take(this.#size.bytes)
      const copied = chunk.copy(this.#buffer, this.#filled, offset)
      offset += copied
      this.#filled += copied
      if (this.#filled < this.#buffer.length) continue
      // One write at a time: a slow disk holds the sender back here.
      await this.#writing
      // Ended meanwhile, which has written what was to be kept: another sender may already go on behind it.
      if (this.destroyed) return
      this.#size.adapt()
      this.#flush()
    }
    this.#chunks.copied(chunk.length)
  }

  #flush(): void {
    const buffer = this.#buffer
    const length = this.#filled
    this.#buffer = null
    this.#filled = 0
    if (!buffer) return
    this.#writing = this.#writing
      .then(() => this.#partial.append(buffer, length))
      .finally(() => this.#pool.give(buffer))
    this.#writing.catch(() => {})
  }
}
