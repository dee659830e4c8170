import type { Bucket } from './bucket.js'
import { isTemporary } from './bucket-errors.js'
import type { ContentObject } from './objects.js'

/**
 * Reads a content. One request to the bucket stays open, and serves consecutive positions; it is sent again after a jump, and
 * where it breaks off.
 */
export class ContentReader {
  readonly #bucket: Bucket
  readonly #objects: readonly (ContentObject & { start: number })[]
  readonly #size: number
  #stream: { position: number; end: number; chunks: AsyncIterator<Buffer>; rest: Buffer } | null = null
  readonly #closed = new AbortController()

  constructor(bucket: Bucket, objects: readonly ContentObject[]) {
    let start = 0
    this.#bucket = bucket
    this.#objects = objects.map((object) => {
      start += object.size
      return { ...object, start: start - object.size }
    })
    this.#size = start
  }

  /** Fills `buffer` from `position` and returns the number of bytes, which is less only at the end. */
  async read(buffer: Buffer, position: number): Promise<number> {
    let filled = 0
    let failures = 0
    while (filled < buffer.length && position + filled < this.#size) {
      try {
        filled += await this.#some(buffer.subarray(filled), position + filled)
        failures = 0
      } catch (error) {
        this.#end()
        this.#closed.signal.throwIfAborted()
        if (!isTemporary(error) || ++failures > maxFailures) throw error
      }
    }
    return filled
  }

  /** All bytes, in chunks. */
  async *chunks(): AsyncGenerator<Buffer> {
    const buffer = Buffer.allocUnsafe(256 * 1024)
    for (let position = 0; position < this.#size; ) {
      const bytes = await this.read(buffer, position)
      yield Buffer.from(buffer.subarray(0, bytes))
      position += bytes
    }
  }

  /** A read under way fails. Closing twice is not an error. */
  close(): void {
    if (!this.#closed.signal.aborted) this.#closed.abort(new Error('The file was closed.'))
    this.#end()
  }

  async #some(buffer: Buffer, position: number): Promise<number> {
    const stream = this.#stream?.position === position ? this.#stream : await this.#open(position)
    if (stream.rest.length === 0) {
      const { value, done } = await stream.chunks.next()
      if (done) throw new Error('The bucket has sent fewer bytes than it announced.')
      stream.rest = value
    }
    const bytes = stream.rest.copy(buffer)
    stream.rest = stream.rest.subarray(bytes)
    stream.position += bytes
    if (stream.position === stream.end) this.#end()
    return bytes
  }

  async #open(position: number) {
    this.#end()
    const object = this.#objects.find(({ start, size }) => position < start + size)!
    const offset = position - object.start
    const { signal } = this.#closed
    const response = await this.#bucket.get(object.key, { offset, length: object.size - offset }, signal)
    this.#stream = {
      position,
      end: object.start + object.size,
      chunks: response[Symbol.asyncIterator](),
      rest: Buffer.alloc(0),
    }
    return this.#stream
  }

  #end(): void {
    const stream = this.#stream
    this.#stream = null
    // Ends the request if it is not complete.
    stream?.chunks.return?.().catch(() => {})
  }
}

/** One after the other, without a byte in between. Requests themselves are repeated for longer. */
const maxFailures = 5
