import { Failure } from '../exit-codes.js'
import { type BufferPool, bufferBytes } from './buffer-pool.js'
import { collect } from './collect.js'
import { formatDigest } from './digests.js'
import type { WriteChunk } from './exchange.js'
import { type Hasher, openHasher } from './hasher.js'
import type { OwnJob } from './own-job.js'
import type { ResumableUpload } from './resumable-upload.js'
import type { Retries } from './retries.js'
import type { TransferTools } from './tools.js'

/** Sends what cannot be read twice, such as stdin, and answers with its length and its SHA-256. */
export async function sendStream(
  tools: TransferTools,
  upload: ResumableUpload,
  { stream, name }: { stream: AsyncIterable<Buffer>; name: string },
  retries: Retries,
  job: OwnJob,
): Promise<{ bytes: number; sha256: string }> {
  const hasher = openHasher(null)
  const held = new HeldStream(stream, tools.http.pool, hasher)
  try {
    return await retries.run(name, tools, job.signal, async () => {
      const { offset } = await upload.locate()
      retries.reached(offset)
      held.release(offset)
      tools.progress.begin(name, null, held.read)
      while (!held.isAllSent) {
        const attempt = held.beginAttempt()
        const send = (write: WriteChunk) => held.send(write, attempt, (bytes) => tools.progress.advance(bytes))
        await upload.append(held.from, { bytes: null }, send)
        held.release(held.read)
        retries.reached(held.read)
      }
      const sha256 = await held.finish()
      tools.progress.say(`${name}: the server checks and stores it`)
      const headers = { 'upload-length': String(held.read), 'repr-digest': formatDigest(sha256) }
      await upload.append(held.read, { bytes: 0, headers }, async () => {})
      return { bytes: held.read, sha256: sha256.toString('hex') }
    })
  } finally {
    hasher.close()
  }
}

/** How much is sent before the server is asked to have it for good: so much may have to be sent again, and is held. */
const mostHeld = 32 * 1024 ** 2

/** A stream of which everything is held that the server does not have for good. */
class HeldStream {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #pool: BufferPool
  readonly #hasher: Hasher
  readonly #held: Buffer[] = []
  #next: Promise<IteratorResult<Buffer>> | undefined
  #attempt = 0
  #ended = false
  #digest: Promise<Buffer> | undefined
  /** Where the first byte that is held belongs. */
  from = 0
  /** Bytes that have come out of the stream. */
  read = 0

  constructor(stream: AsyncIterable<Buffer>, pool: BufferPool, hasher: Hasher) {
    this.#chunks = collect(stream, pool)
    this.#pool = pool
    this.#hasher = hasher
  }

  get isAllSent(): boolean {
    return this.#ended && this.from === this.read
  }

  /** From here on, an attempt before reads nothing any more, though it may still wait for the stream. */
  beginAttempt(): number {
    this.#attempt += 1
    return this.#attempt
  }

  /** Sends what is held, and then as much as comes until enough is held. */
  async send(write: WriteChunk, attempt: number, advance: (bytes: number) => void): Promise<void> {
    for (const chunk of [...this.#held]) await write(chunk)
    while (!this.#ended && this.read - this.from < mostHeld) {
      this.#next ??= this.#chunks.next()
      const { done, value } = await this.#next
      if (attempt !== this.#attempt) return
      this.#next = undefined
      if (done) this.#ended = true
      else {
        const chunk = this.#hold(value)
        advance(chunk.length)
        await Promise.all([this.#hasher.update(chunk), write(chunk)])
      }
    }
  }

  /** The server has everything before `offset` for good. */
  release(offset: number): void {
    // A server that has all but does not publish it yet tells one byte less.
    const known = this.#digest && offset === this.read - 1 ? this.read : offset
    if (known < this.from)
      throw new Failure('unexpected', 'The server has lost what came before, and it cannot be read again.')
    while (this.from < known) {
      const chunk = this.#held[0]!
      const bytes = Math.min(chunk.length, known - this.from)
      this.from += bytes
      if (bytes < chunk.length) this.#held[0] = chunk.subarray(bytes)
      else this.#pool.give(this.#held.shift()!)
    }
  }

  /** The digest of all of it. */
  finish(): Promise<Buffer> {
    this.#digest ??= this.#hasher.digest()
    return this.#digest
  }

  /** A little is copied: it must not occupy a whole buffer for long. */
  #hold(value: Buffer): Buffer {
    const chunk = value.length < bufferBytes / 2 ? Buffer.from(value) : value
    if (chunk !== value) this.#pool.give(value)
    this.#held.push(chunk)
    this.read += chunk.length
    return chunk
  }
}
