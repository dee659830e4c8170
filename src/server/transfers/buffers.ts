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

/**
 * Lends buffers within a budget: the more are lent, the smaller is the next one, down to a minimum. So memory is
 * bounded even if many streams start quickly and then stop with full buffers. Buffers of the full size are reused:
 * allocating them for each write costs more than filling them.
 */
export class BufferPool {
  readonly #free: Buffer[] = []
  #lentBytes = 0

  /** A buffer of `bytes`, a power of two, or less. Give it back or drop it, once. */
  take(bytes: number): Buffer {
    const share = (budgetBytes - this.#lentBytes) / sharesOfRest
    let size = bytes
    while (size > minBufferBytes && size > share) size /= 2
    this.#lentBytes += size
    return (size === maxBufferBytes && this.#free.pop()) || Buffer.allocUnsafeSlow(size)
  }

  /** The buffer must no longer be in use. */
  give(buffer: Buffer): void {
    this.drop(buffer)
    if (buffer.length === maxBufferBytes && this.#free.length < maxFree) this.#free.push(buffer)
  }

  /** Forgets a buffer that may still be in use. */
  drop(buffer: Buffer): void {
    this.#lentBytes -= buffer.length
  }
}

const minBufferBytes = 16 * 1024
const maxBufferBytes = 1024 * 1024
const maxFree = 8
/** About twenty streams run at full size. */
const budgetBytes = 48 * 1024 * 1024
const sharesOfRest = 8
const quickMs = 20
const slowMs = 250
