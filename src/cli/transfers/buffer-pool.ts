/** Enough for a read or a write to be worth its way. */
export const bufferBytes = 1024 ** 2

/**
 * Megabyte buffers that threads can share. They are used again, because fresh memory has to be cleared by the system each
 * time, which costs as much as copying it.
 */
export class BufferPool {
  readonly #free: Buffer[] = []

  /** A buffer that nobody else uses. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.from(new SharedArrayBuffer(bufferBytes))
  }

  /** Gives back the buffer that a chunk lies in. A chunk from elsewhere is left to the garbage collector. */
  give(chunk: Buffer): void {
    if (chunk.buffer instanceof SharedArrayBuffer) this.#free.push(Buffer.from(chunk.buffer))
  }
}
