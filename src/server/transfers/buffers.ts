/** How large a buffer a stream deserves: it grows while the stream fills it quickly, so that a slow one costs little. */
export class BufferSize {
  #bytes = minBufferBytes
  #since = performance.now()

  get bytes(): number {
    return this.#bytes
  }

  /** Called each time that a whole buffer has passed. */
  adapt(): void {
    const now = performance.now()
    const tookMs = now - this.#since
    this.#since = now
    if (tookMs < quickMs) this.#bytes = Math.min(maxBufferBytes, this.#bytes * 2)
    else if (tookMs > slowMs) this.#bytes = Math.max(minBufferBytes, this.#bytes / 2)
  }
}

/**
 * Lends buffers within a budget: the more is lent, the smaller is what is lent next, down to the least size. So memory
 * stays flat however many streams began quickly and then stopped with their buffers full. Buffers of the full size are
 * used again: making them anew for each write costs more than filling them.
 */
export class BufferPool {
  readonly #free: Buffer[] = []
  #lentBytes = 0

  /** A buffer of `bytes`, a power of two, or of less. Whoever takes it gives it back or drops it, once. */
  take(bytes: number): Buffer {
    const share = (budgetBytes - this.#lentBytes) / sharesOfRest
    let size = bytes
    while (size > minBufferBytes && size > share) size /= 2
    this.#lentBytes += size
    return (size === maxBufferBytes && this.#free.pop()) || Buffer.allocUnsafeSlow(size)
  }

  /** The buffer must not be in use any more. */
  give(buffer: Buffer): void {
    this.drop(buffer)
    if (buffer.length === maxBufferBytes && this.#free.length < maxFree) this.#free.push(buffer)
  }

  /** Forgets one that may still be in use. */
  drop(buffer: Buffer): void {
    this.#lentBytes -= buffer.length
  }
}

const minBufferBytes = 16 * 1024
const maxBufferBytes = 1024 * 1024
const maxFree = 8
/** Some twenty streams run at full size. */
const budgetBytes = 48 * 1024 * 1024
const sharesOfRest = 8
const quickMs = 20
const slowMs = 250
