import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { DigestAlgorithm } from '../files.js'
import type { SentError } from '../local/batch-messages.js'
import { receiveError } from '../local/sent-errors.js'

/** Where the bytes of an object are. */
export type ObjectSource = { memory: SharedArrayBuffer } | { path: string }

export type ContentDigestRequest = { request: number; id: number } & (
  | { what: 'add'; source: ObjectSource; position: number; size: number; algorithms: DigestAlgorithm[] }
  | { what: 'digest'; algorithm: DigestAlgorithm }
  | { what: 'forget' }
)

/** In hexadecimal digits; null if it is not known. */
export type ContentDigestAnswer = { request: number } & ({ digest: string | null } | { error: SentError })

/** Computes checksums of objects, and digests of the contents that they are part of, in one pass in worker threads. */
export class ContentDigests {
  readonly #threads: number
  readonly #workers = new Map<number, Worker>()
  readonly #asked = new Map<number, { slot: number; done: Deferred<string | null> }>()
  #isClosed = false
  #nextId = 0
  #nextRequest = 0

  constructor(threads = Math.min(4, Math.max(1, availableParallelism() - 1))) {
    this.#threads = threads
    // At once, because it needs descriptors, which may be short later.
    for (let slot = 0; slot < threads; slot++) this.#start(slot)
  }

  /** For a content whose objects are added in order. Without algorithms there are checksums only. */
  open(algorithms: readonly DigestAlgorithm[]): ContentDigest {
    return new ContentDigest(this.#nextId++, new Set(algorithms), (request) => this.#ask(request))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all([...this.#workers.values()].map((worker) => worker.terminate()))
  }

  #ask(what: SentRequest): Promise<string | null> {
    const slot = what.id % this.#threads
    const request = this.#nextRequest++
    const done = deferred<string | null>()
    if (this.#isClosed) return Promise.reject(hasEnded())
    this.#asked.set(request, { slot, done })
    const worker = this.#workers.get(slot) ?? this.#start(slot)
    worker.postMessage({ ...what, request } satisfies ContentDigestRequest)
    return done.promise
  }

  #start(slot: number): Worker {
    const worker = new Worker(new URL('./content-digest-worker.js', import.meta.url))
    this.#workers.set(slot, worker)
    worker.unref()
    worker.on('message', (answer: ContentDigestAnswer) => {
      const done = this.#take(answer.request)
      if ('error' in answer) done?.reject(receiveError(answer.error))
      else done?.resolve(answer.digest)
    })
    worker.on('error', (cause) => this.#end(slot, worker, cause))
    worker.on('exit', () => this.#end(slot, worker))
    return worker
  }

  #end(slot: number, worker: Worker, cause?: unknown): void {
    if (this.#workers.get(slot) !== worker) return
    this.#workers.delete(slot)
    for (const [request, asked] of this.#asked) if (asked.slot === slot) this.#take(request)?.reject(hasEnded(cause))
  }

  #take(request: number): Deferred<string | null> | undefined {
    const asked = this.#asked.get(request)
    this.#asked.delete(request)
    return asked?.done
  }
}

type SentRequest = ContentDigestRequest extends infer Request
  ? Request extends unknown
    ? Omit<Request, 'request'>
    : never
  : never

/** The digests of one content. */
export class ContentDigest {
  readonly #id: number
  readonly #algorithms: Set<DigestAlgorithm>
  readonly #ask: (request: SentRequest) => Promise<string | null>
  #position = 0

  constructor(id: number, algorithms: Set<DigestAlgorithm>, ask: (request: SentRequest) => Promise<string | null>) {
    this.#id = id
    this.#algorithms = algorithms
    this.#ask = ask
  }

  /** Computes this digest, too. Not after the first bytes. */
  follow(algorithm: DigestAlgorithm): void {
    if (this.#position === 0 && this.#algorithms.size > 0) this.#algorithms.add(algorithm)
  }

  /** The CRC-32 of the next bytes, in hexadecimal digits. They must not change until it settles. */
  async add(source: ObjectSource, size: number): Promise<string> {
    const position = this.#position
    this.#position += size
    const algorithms = [...this.#algorithms]
    return (await this.#ask({ what: 'add', id: this.#id, source, position, size, algorithms }))!
  }

  /** Of all bytes that were added, in hexadecimal digits; null if it was not followed. */
  async digest(algorithm: DigestAlgorithm): Promise<string | null> {
    if (!this.#algorithms.has(algorithm)) return null
    return this.#ask({ what: 'digest', id: this.#id, algorithm })
  }

  /** Ends it. */
  forget(): void {
    this.#algorithms.clear()
    this.#ask({ what: 'forget', id: this.#id }).catch(() => {})
  }
}

function hasEnded(cause?: unknown): Error {
  return new Error('The thread that computes checksums has ended.', { cause })
}
