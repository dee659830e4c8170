import type { Clock } from '../clock.js'

/** The buffer size for a stream: it grows while the stream fills it quickly, so that a slow one uses little memory. */
export class BufferSize {
  #bytes = minBufferBytes
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonicMs()
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Called after each full buffer. */
  adapt(): void {
    const now = this.#clock.monotonicMs()
    const tookMs = now - this.#since
    this.#since = now
    if (tookMs < quickMs) this.#bytes = Math.min(maxBufferBytes, this.#bytes * 2)
    else if (tookMs > slowMs) this.#bytes = Math.max(minBufferBytes, this.#bytes / 2)
  }
}

export interface BufferPoolOptions {
  /** Whether the memory of smaller buffers can be passed to other threads. That of large ones cannot: it is slower. */
  isShared?: boolean
}

/**
 * Lends buffers within a budget: the more are lent, the smaller is the next one, down to a minimum. So memory is
 * bounded even if many streams start quickly and then stop with full buffers. Buffers are reused: allocating them for each
 * write costs more than filling them, and as garbage they outlive the collections of young objects, so that V8 marks its
 * whole heap several times a second.
 */
export class BufferPool {
  readonly #isShared: boolean
  /** By size. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0
  #lentBytes = 0

  constructor({ isShared = false }: BufferPoolOptions = {}) {
    this.#isShared = isShared
  }

  /** A buffer of `bytes`, a power of two, or less. Give it back or drop it, once. */
  take(bytes: number): Buffer {
    const share = (budgetBytes - this.#lentBytes) / sharesOfRest
    let size = bytes
    while (size > minBufferBytes && size > share) size /= 2
    this.#lentBytes += size
    const free = this.#free.get(size)?.pop()
    if (free) {
      this.#freeBytes -= size
      return free
    }
    const isShared = this.#isShared && size <= maxSharedBytes
    return isShared ? Buffer.from(new SharedArrayBuffer(size)) : Buffer.allocUnsafeSlow(size)
  }

  /** The buffer must no longer be in use. */
  give(buffer: Buffer): void {
    this.drop(buffer)
    const size = buffer.length
    if (this.#freeBytes + this.#lentBytes + size > budgetBytes) return
    this.#freeBytes += size
    const free = this.#free.get(size)
    if (free) free.push(buffer)
    else this.#free.set(size, [buffer])
  }

  /** Forgets a buffer that may still be in use. */
  drop(buffer: Buffer): void {
    this.#lentBytes -= buffer.length
  }
}

const minBufferBytes = 16 * 1024
const maxBufferBytes = 1024 * 1024
const maxSharedBytes = 256 * 1024
/** About twenty streams run at full size. */
const budgetBytes = 48 * 1024 * 1024
const sharesOfRest = 8
/** Of one that fills at once, ten writes a second are enough. */
const quickMs = 100
/** Not less, or a busy machine, which is late for all streams, would get more and smaller writes. */
const slowMs = 600
