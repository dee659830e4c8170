import { Worker } from 'node:worker_threads'
import { Problem } from '../../protocol/problems.js'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import type { PasswordTask } from './password-worker.js'

/**
 * Worker threads for passwords, each for one task at a time; the caller limits its tasks to the number of threads. A
 * thread that fails, for lack of descriptors, memory or threads, is replaced for the next task.
 */
export class PasswordThreads {
  readonly #idle: PasswordThread[]
  readonly #all: readonly PasswordThread[]
  #closed = false

  constructor(count: number) {
    this.#all = Array.from({ length: count }, () => new PasswordThread())
    this.#idle = [...this.#all]
    // Load their code now, while descriptors are available.
    for (const thread of this.#all) thread.start()
  }

  /** Throws `busy` if no thread can start, and `shutting-down` after `close`. */
  async run(task: PasswordTask): Promise<string | boolean> {
    if (this.#closed) throw shuttingDown()
    const thread = this.#idle.pop()!
    try {
      return await thread.run(task)
    } catch (error) {
      if (this.#closed) throw shuttingDown(error)
      if (!isShortage(error)) throw error
      throw new Problem('busy', 'The password cannot be checked now: try again.', { retryAfter: 5 }, { cause: error })
    } finally {
      this.#idle.push(thread)
    }
  }

  /** Running tasks fail with `shutting-down`. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#all.map((thread) => thread.close()))
  }
}

class PasswordThread {
  #worker: Worker | null = null
  #result: Deferred<string | boolean> | null = null

  start(): void {
    try {
      this.#worker ??= this.#open()
    } catch (error) {
      this.#end((result) => result.reject(error))
    }
  }

  run(task: PasswordTask): Promise<string | boolean> {
    const result = deferred<string | boolean>()
    this.#result = result
    this.start()
    this.#worker?.ref()
    this.#worker?.postMessage(task)
    return result.promise
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #open(): Worker {
    const worker = new Worker(new URL('./password-worker.js', import.meta.url))
    const onEnd = (error: unknown) => {
      // "exit" follows "error"; by then another worker may have taken its place.
      if (this.#worker !== worker) return
      this.#worker = null
      this.#end((result) => result.reject(error))
    }
    worker.unref()
    worker.on('message', (answer: string | boolean) => {
      worker.unref()
      this.#end((result) => result.resolve(answer))
    })
    // Also without a running task: an "error" event without a listener would end the process.
    worker.on('error', onEnd)
    worker.on('exit', (code) => onEnd(new Error(`The worker thread ended with code ${code}.`)))
    return worker
  }

  #end(settle: (result: Deferred<string | boolean>) => void): void {
    const result = this.#result
    this.#result = null
    if (result) settle(result)
  }
}

function isShortage(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(EMFILE|ENFILE|ENOMEM|EAGAIN|ERR_WORKER_\w+)$/.test(code)
}

function shuttingDown(cause?: unknown): Problem {
  return new Problem('shutting-down', 'The server is shutting down: try again when it is back.', {}, { cause })
}
