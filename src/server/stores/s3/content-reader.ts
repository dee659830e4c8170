import type { Bucket } from './bucket.js'
import { isTemporary } from './bucket-errors.js'
import type { DownloadConnection } from './download-connection.js'
import type { ContentObject } from './objects.js'

/**
 * Reads a content. One request to the bucket stays open, and serves consecutive positions; it is sent again after a jump, and
 * where it breaks off.
 */
export class ContentReader {
  readonly #bucket: Bucket
  readonly #objects: readonly (ContentObject & { start: number })[]
  readonly #size: number
  #open: { position: number; end: number; download: DownloadConnection } | null = null
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
    for (let position = 0; position < this.#size; ) {
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const bytes = await this.read(chunk, position)
      yield chunk.subarray(0, bytes)
      position += bytes
    }
  }

  /** A read under way fails. Closing twice is not an error. */
  close(): void {
    if (!this.#closed.signal.aborted) this.#closed.abort(new Error('The file was closed.'))
    this.#end()
  }

  /** As far as one object has it. */
  async #some(buffer: Buffer, position: number): Promise<number> {
    const open = this.#open?.position === position ? this.#open : await this.#request(position)
    const bytes = await open.download.read(buffer.subarray(0, open.end - position))
    open.position += bytes
    // Read to its end, the connection may already serve another reader.
    if (open.position === open.end) this.#open = null
    return bytes
  }

  async #request(position: number) {
    this.#end()
    const object = this.#objects.find(({ start, size }) => position < start + size)!
    const offset = position - object.start
    const { signal } = this.#closed
    const download = await this.#bucket.get(object.key, { offset, length: object.size - offset }, signal)
    if (signal.aborted) {
      download.close()
      throw signal.reason
    }
    this.#open = { position, end: object.start + object.size, download }
    return this.#open
  }

  #end(): void {
    this.#open?.download.close()
    this.#open = null
  }
}

const chunkBytes = 256 * 1024
/** One after the other, without a byte in between. Requests themselves are repeated for longer. */
const maxFailures = 5
