import { Socket, type SocketConstructorOpts } from 'node:net'
import type { ReadBufferPool } from './transfers/buffer-pool.js'

/**
 * A socket that reads a megabyte at a time into buffers of the pool, and whose bytes can bypass Node's HTTP parser,
 * which copies them in chunks of 64 KiB: for large bodies this saves a third of the client's CPU time.
 */
export class DirectSocket extends Socket {
  readonly #pool: ReadBufferPool
  #taken: Buffer[] | undefined
  #closed: Error | undefined
  #changed: () => void = () => {}

  constructor(options: SocketConstructorOpts, pool: ReadBufferPool) {
    const onread = {
      buffer: () => pool.take(),
      // Called as a method of the socket.
      callback(this: DirectSocket, bytes: number, buffer: Buffer) {
        return this.#receive(buffer.subarray(0, bytes))
      },
    }
    super({ ...options, onread } as SocketConstructorOpts)
    this.#pool = pool
    this.once('close', () => {
      this.#closed ??= Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' })
      this.#changed()
    })
  }

  /**
   * From now on, bytes are delivered by `takeChunk()` instead of the stream's listeners. Returns false if it is too
   * late.
   */
  divert(): boolean {
    if (this.readableLength > 0) return false
    this.#taken = []
    return true
  }

  /** The next bytes after `divert()`; give the buffer back to the pool. Rejects when the connection ends. */
  async takeChunk(): Promise<Buffer> {
    for (;;) {
      const chunk = this.#taken?.shift()
      if (chunk) {
        if (this.#taken?.length === 0) this.resume()
        return chunk
      }
      if (this.#closed) throw this.#closed
      await new Promise<void>((resolve) => {
        this.#changed = resolve
      })
    }
  }

  /** Returns whether to continue reading. */
  #receive(chunk: Buffer): boolean {
    if (this.#taken) {
      this.#taken.push(chunk)
      this.#changed()
      return this.#taken.length < mostAhead
    }
    const room = this.push(Buffer.from(chunk))
    this.#pool.give(chunk)
    return room
  }
}

/** Megabytes to read ahead of the consumer. */
const mostAhead = 2
