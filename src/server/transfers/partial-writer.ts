import { Writable } from 'node:stream'
import type { PartialFile } from '../stores/partials.js'
import { type BufferPool, BufferSize } from './buffers.js'
import type { ChunkGarbage } from './chunk-garbage.js'
import type { Flow } from './flow.js'

/** What the bytes are written to. */
export type Appendable = Pick<PartialFile, 'append'>

/** Shared by all uploads. */
export interface ReceivingMemory {
  pool: BufferPool
  garbage: ChunkGarbage
}

/**
 * The sink of an upload: passes each chunk through the flow and collects chunks of a socket's size into writes of up to
 * a megabyte, filling one buffer while the other is written. `close` is emitted after the last write, but at once if
 * the data is discarded: a stop must not wait for a busy disk.
 */
export class PartialWriter extends Writable {
  readonly #partial: Appendable
  readonly #flow: Flow
  readonly #pool: BufferPool
  readonly #garbage: ChunkGarbage
  readonly #size: BufferSize
  readonly #isWorthKeeping: () => boolean
  #buffer: Buffer | null = null
  #filled = 0
  #copying: Promise<void> = Promise.resolve()
  #writing: Promise<void> = Promise.resolve()
  #isDropped = false

  /** `isWorthKeeping` decides, when the stream ends early, whether to write the received bytes. */
  constructor(partial: Appendable, flow: Flow, { pool, garbage }: ReceivingMemory, isWorthKeeping: () => boolean) {
    super({ highWaterMark: 256 * 1024 })
    this.#partial = partial
    this.#flow = flow
    this.#size = new BufferSize(flow.clock)
    this.#pool = pool
    this.#garbage = garbage
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
      this.#garbage.add(chunk.length)
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
    this.#isDropped = error !== null && !this.#isWorthKeeping()
    if (!this.#isDropped) {
      this.#keep().finally(() => callback(error))
      return
    }
    if (this.#buffer) this.#pool.give(this.#buffer)
    this.#buffer = null
    callback(error)
  }

  /** Writes everything that has passed, also the rest of a chunk that waits for the disk. */
  async #keep(): Promise<void> {
    await this.#copying.catch(() => {})
    this.#flush()
    await this.#writing.catch(() => {})
  }

  async #gather(chunk: Buffer, passed: undefined | Promise<void>): Promise<void> {
    await passed
    // Ended meanwhile: another request may already append.
    if (this.destroyed) return
    this.#copying = this.#copy(chunk)
    await this.#copying
    this.#garbage.add(chunk.length)
  }

  /** Copies a chunk into buffers, and writes those that it fills. */
  async #copy(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length; ) {
      this.#buffer ??= this.#pool.take(this.#size.bytes)
      const copied = chunk.copy(this.#buffer, this.#filled, offset)
      offset += copied
      this.#filled += copied
      if (this.#filled < this.#buffer.length) continue
      // One write at a time: a slow disk holds the sender back here.
      await this.#writing
      if (this.#isDropped) return
      this.#size.adapt()
      this.#flush()
    }
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
