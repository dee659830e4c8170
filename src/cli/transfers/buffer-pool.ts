/** Large enough for efficient reads and writes. */
export const bufferBytes = 1024 ** 2

/**
 * Buffers of one megabyte that threads can share. They are reused, because the system clears fresh memory each time,
 * which costs as much as copying it.
 */
export class ReadBufferPool {
  readonly #free: Buffer[] = []

  /** A buffer that is not in use. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(bufferBytes))
  }

  /** Gives back the buffer of a chunk. Chunks from elsewhere are left to the garbage collector. */
  give(chunk: Buffer): void {
    if (chunk.buffer instanceof SharedArrayBuffer) this.#free.push(Buffer.from(chunk.buffer))
  }
}
