import { formatDigest } from '../../protocol/digest-fields.js'
import { Failure } from '../exit-codes.js'
import { bufferBytes, type ReadBufferPool } from './buffer-pool.js'
import { collect } from './collect.js'
import type { WriteChunk } from './exchange.js'
import { type Hasher, openHasher } from './hasher.js'
import type { OwnJob } from './own-job.js'
import type { ResumableSender } from './resumable-sender.js'
import type { Retries } from './retries.js'
import type { TransferTools } from './tools.js'

/** A stream that can be read only once. */
export interface StreamContent {
  readonly name: string
  readonly stream: AsyncIterable<Buffer>
  readonly allowEmpty: boolean
}

/**
 * Uploads a stream that cannot be read twice, such as stdin, and returns its length and SHA-256. Throws a Failure if it
 * is empty: a failed producer cannot be distinguished from one without output.
 */
export async function sendStream(
  tools: TransferTools,
  upload: ResumableSender,
  { stream, name, allowEmpty }: StreamContent,
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
      if (held.read === 0 && !allowEmpty) throw noBytes(name)
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

function noBytes(name: string): Failure {
  const advice = 'To publish an empty file, use "filejobs upload --allow-empty".'
  return new Failure('badData', `No bytes came for ${name}: nothing was published. ${advice}`)
}

/**
 * How many bytes are sent before the server must store them: these are held, because they may have to be sent again.
 */
const mostHeld = 32 * 1024 ** 2

/** A stream that holds all bytes that the server has not stored yet. */
class HeldStream {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #pool: ReadBufferPool
  readonly #hasher: Hasher
  readonly #held: Buffer[] = []
  #next: Promise<IteratorResult<Buffer>> | undefined
  #attempt = 0
  #ended = false
  #digest: Promise<Buffer> | undefined
  /** The offset of the first held byte. */
  from = 0
  /** Bytes read from the stream. */
  read = 0

  constructor(stream: AsyncIterable<Buffer>, pool: ReadBufferPool, hasher: Hasher) {
    this.#chunks = collect(stream, pool)
    this.#pool = pool
    this.#hasher = hasher
  }

  get isAllSent(): boolean {
    return this.#ended && this.from === this.read
  }

  /** From now on, an earlier attempt reads nothing more, although it may still be waiting for the stream. */
  beginAttempt(): number {
    this.#attempt += 1
    return this.#attempt
  }

  /** Sends the held bytes, and then new ones until enough are held. */
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

  /** The server has stored all bytes before `offset`. */
  release(offset: number): void {
    // Until the publish, a server that has all bytes reports one byte less.
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

  /** The digest of the whole stream. */
  finish(): Promise<Buffer> {
    this.#digest ??= this.#hasher.digest()
    return this.#digest
  }

  /** Small chunks are copied, so that they do not occupy a whole buffer for long. */
  #hold(value: Buffer): Buffer {
    const chunk = value.length < bufferBytes / 2 ? Buffer.from(value) : value
    if (chunk !== value) this.#pool.give(value)
    this.#held.push(chunk)
    this.read += chunk.length
    return chunk
  }
}
