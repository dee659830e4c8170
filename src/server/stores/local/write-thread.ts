import { Worker } from 'node:worker_threads'
import { type Deferred, deferred } from '../../concurrency/deferred.js'
import type { SentError } from './batch-messages.js'
import { receiveError } from './sent-errors.js'

/** A write of all bytes to an open file. The bytes are in memory that threads share. */
export interface SharedWrite {
  fd: number
  bytes: Uint8Array
  position: number
}

/** The outcome of each write: null where it succeeded. */
export type WriteAnswer = (SentError | null)[]

interface Pending {
  write: SharedWrite
  done: Deferred<void>
}

/**
 * Writes of many slow streams, which a worker thread does in batches: one message wakes it for all that came together in a
 * pass of the event loop. In Node's pool each would wake a thread, which on a busy machine costs the main thread its core
 * for a third of a millisecond. While one batch is written, the next one collects.
 */
export class WriteThread {
  #worker: Worker | null = null
  #collected: Pending[] = []
  #written: Pending[] = []
  #isScheduled = false

  /** Whether `bytes` can be passed without a copy. */
  takes({ buffer }: Uint8Array): boolean {
    return buffer instanceof SharedArrayBuffer
  }

  /** Rejects with the error of the system. The bytes must not change until it settles. */
  write(write: SharedWrite): Promise<void> {
    const done = deferred()
    this.#collected.push({ write, done })
    this.#schedule()
    return done.promise
  }

  /** Fails what is not written yet. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker) this.#end(worker, new Error('The files are being closed.'))
    await worker?.terminate()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#written.length > 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#collected.length === 0) return
    this.#written = this.#collected
    this.#collected = []
    this.#worker ??= this.#start()
    this.#worker.postMessage(this.#written.map(({ write }) => write))
  }

  #start(): Worker {
    const worker = new Worker(new URL('./write-worker.js', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    })
    worker.unref()
    worker.on('message', (answer: WriteAnswer) => {
      const written = this.#written
      this.#written = []
      this.#send()
      for (const [index, { done }] of written.entries()) {
        const error = answer[index]
        if (error) done.reject(receiveError(error))
        else done.resolve()
      }
    })
    worker.on('error', (error) => this.#end(worker, error))
    worker.on('exit', () => this.#end(worker, new Error('The thread that writes has ended.')))
    return worker
  }

  #end(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    const failed = [...this.#written, ...this.#collected]
    this.#written = []
    this.#collected = []
    for (const { done } of failed) done.reject(error)
  }
}
