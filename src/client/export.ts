import { fetchedLength } from '../protocol/body-length.js'
import { fetchedSha256 } from '../protocol/digest-fields.js'
import { exportPath, jobHeader } from '../protocol/routes.js'
import { newUuid } from '../protocol/uuid.js'
import type { OpenAnswer, StreamingApi } from './api.js'
import { Attempts } from './attempts.js'
import { openDigest, type StreamDigest } from './digests.js'
import { checkNotEnded } from './ended-job.js'
import { FilejobsError, isPassing } from './errors.js'
import { ownJobHeaders, StoppableJob } from './stoppable-job.js'
import { awaitSlot, rateHeaders, type TransferOptions, waitHeaders } from './transfer-options.js'

export interface ExportOptions extends TransferOptions {
  /** Of a folder, whose name ends with a slash; default `tar`. */
  archive?: 'tar' | 'zip' | undefined
}

/** A file, or the archive of a folder, that is being received. */
export interface ExportedStream {
  readonly name: string
  /** Null for an archive. */
  readonly size: number | null
  /** In hexadecimal; null for an archive, and for a file that was put there by hand. */
  readonly sha256: string | null
  /** Media type. */
  readonly type: string | null
  readonly jobId: string
  /**
   * The bytes, once. A broken connection is resumed. Fails with `digest-mismatch` at the end if the bytes are not those of
   * the file (on Node; a browser checks their number). Cancelling it stops the job.
   */
  readonly stream: ReadableStream<Uint8Array>
}

/** Begins an export, and resolves with the head of the answer. */
export async function exportStream(api: StreamingApi, name: string, options: ExportOptions): Promise<ExportedStream> {
  const job = new StoppableJob(api, options.signal)
  const run = new ExportRun(api, name, options, job)
  try {
    const { headers } = await run.begin()
    return {
      name,
      size: run.size,
      sha256: run.sha256,
      type: headers.get('content-type'),
      jobId: job.id,
      stream: streamOf(run.chunks(), () => job.stop()),
    }
  } catch (error) {
    job.close()
    throw await job.explain(error)
  }
}

class ExportRun {
  readonly #api: StreamingApi
  readonly #name: string
  readonly #options: ExportOptions
  readonly #job: StoppableJob
  readonly #retries: Attempts
  readonly #digest: StreamDigest | undefined = openDigest()
  #answer: OpenAnswer | undefined
  #entityTag: string | null = null
  #offset = 0
  size: number | null = null
  sha256: string | null = null

  constructor(api: StreamingApi, name: string, options: ExportOptions, job: StoppableJob) {
    this.#api = api
    this.#name = name
    this.#options = options
    this.#job = job
    this.#retries = new Attempts(options.retries)
  }

  async begin(): Promise<OpenAnswer> {
    const answer = await this.#retries.run(this.#api, this.#job, (isRetry) => this.#request(isRetry))
    const { headers } = answer
    this.#answer = answer
    this.#entityTag = headers.get('etag')
    this.size = fetchedLength(headers)
    this.sha256 = fetchedSha256(headers) ?? null
    this.#report()
    return answer
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let hasEnded = false
    try {
      while (!hasEnded) {
        try {
          yield* this.#receive()
          hasEnded = true
        } catch (error) {
          this.#answer = await this.#resume(error)
        }
      }
      this.#checkDigest()
    } catch (error) {
      hasEnded = true
      throw await this.#job.explain(error)
    } finally {
      // A caller that reads no further has no use for the job.
      if (!hasEnded) await this.#job.stop()
      this.#answer?.close()
      this.#job.close()
    }
  }

  async *#receive(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#answer?.chunks() ?? []) {
      this.#offset += chunk.length
      this.#digest?.update(chunk)
      this.#retries.advanced()
      this.#report()
      yield chunk
    }
    if (this.size === null || this.#offset === this.size) return
    throw new FilejobsError('unreachable', `${this.#api.server} closed the connection before the end of ${this.#name}.`)
  }

  /** Throws the error if nothing can be resumed, and that of the job if it was stopped. */
  async #resume(error: unknown): Promise<OpenAnswer> {
    this.#job.signal.throwIfAborted()
    if (!isPassing(error)) throw error
    if (this.#entityTag !== null) return this.#retries.run(this.#api, this.#job, () => this.#request(true), true)
    await checkNotEnded(this.#api, this.#job.id, this.#job.signal)
    throw error
  }

  #request(isRetry: boolean): Promise<OpenAnswer> {
    const { waitSeconds = 0, archive = 'tar' } = this.#options
    // An id can be used only once.
    if (isRetry) this.#job.id = newUuid()
    return awaitSlot(waitSeconds, this.#job.signal, async (seconds) => {
      const answer = await this.#api.open('GET', exportPath(this.#name), {
        query: this.#name.endsWith('/') ? { archive } : {},
        headers: {
          accept: '*/*',
          ...rateHeaders(this.#options),
          ...waitHeaders(seconds),
          ...this.#rangeHeaders(),
          ...ownJobHeaders(this.#job),
        },
        // It may wait, or be paused.
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: this.#job.signal,
      })
      // Another stream of the same file may have started the job, which then has that id.
      this.#job.id = answer.headers.get(jobHeader) ?? this.#job.id
      if (this.#offset === 0 || answer.headers.get('content-range')?.startsWith(`bytes ${this.#offset}-`)) return answer
      answer.close()
      throw new FilejobsError('file-changed', `${this.#name} was replaced on the server meanwhile.`)
    })
  }

  /** RFC 9110, section 13.1.5: the rest of the same version, or the whole of another one. */
  #rangeHeaders(): Record<string, string> {
    if (this.#offset === 0 || this.#entityTag === null) return {}
    return { range: `bytes=${this.#offset}-`, 'if-range': this.#entityTag }
  }

  #checkDigest(): void {
    const sha256 = this.#digest?.digest()
    if (sha256 === undefined || this.sha256 === null || sha256 === this.sha256) return
    const words = `${this.#name} arrived damaged (SHA-256 ${sha256}, not ${this.sha256}): try again.`
    throw new FilejobsError('digest-mismatch', words)
  }

  #report(): void {
    this.#options.onProgress?.({ bytes: this.#offset, totalBytes: this.size, jobId: this.#job.id })
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>, stop: () => Promise<void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await stop()
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}
