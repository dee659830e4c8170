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

/** Buffers of the full size are used again: making them anew for each write costs more than filling them. */
export class BufferPool {
  readonly #free: Buffer[] = []

  take(bytes: number): Buffer {
    return (bytes === maxBufferBytes && this.#free.pop()) || Buffer.allocUnsafeSlow(bytes)
  }

  /** The buffer must not be in use any more. */
  give(buffer: Buffer): void {
    if (buffer.length === maxBufferBytes && this.#free.length < maxFree) this.#free.push(buffer)
  }
}

const minBufferBytes = 16 * 1024
const maxBufferBytes = 1024 * 1024
const maxFree = 8
const quickMs = 20
const slowMs = 250
