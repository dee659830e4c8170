import { Problem } from '../../protocol/problems.js'
import type { Job } from './job.js'

export interface Turn {
  /** How long to wait for a free slot; 0 refuses at once. */
  waitMs: number
  /** Aborts when whoever waits has left. */
  signal: AbortSignal
}

/** For one kind of job, the map from account to its running jobs, and who waits for a slot. */
export class JobMap {
  readonly #running = new Map<string, Job[]>()
  readonly #waiting = new Map<string, Waiter[]>()
  readonly #limitOf: (account: string) => number

  constructor(limitOf: (account: string) => number) {
    this.#limitOf = limitOf
  }

  /** The jobs that hold a slot, oldest first. */
  holding(account: string): Job[] {
    return this.#running.get(account) ?? []
  }

  /** Takes a slot in one step. Throws `job-running`, naming the job in the way. */
  claim(job: Job): void {
    if (this.mustWait(job.account)) throw this.#refusal(job)
    this.#hold(job)
  }

  mustWait(account: string): boolean {
    return !this.#hasRoom(account) || this.#waiting.has(account)
  }

  /**
   * Waits for a slot: first come, first served. Throws `job-running` at once when too many wait already. The promise
   * rejects with `job-running` when no slot came free in time, with the job's own abort reason when it was stopped
   * meanwhile, and with the reason of `turn.signal`.
   */
  queueUp(job: Job, { waitMs, signal }: Turn): Promise<void> {
    signal.throwIfAborted()
    const queue = this.#waiting.get(job.account) ?? []
    if (queue.length >= maxWaiting) throw this.#refusal(job, `${maxWaiting} wait already`)
    this.#waiting.set(job.account, queue)
    return new Promise<void>((resolve, reject) => {
      const leave = (reason: unknown) => {
        waiter.finish()
        queue.splice(queue.indexOf(waiter), 1)
        if (queue.length === 0) this.#waiting.delete(job.account)
        reject(reason)
      }
      const stopped = () => leave(job.signal.reason)
      const left = () => leave(signal.reason)
      const timer = setTimeout(() => leave(this.#refusal(job)), waitMs)
      const waiter: Waiter = {
        job,
        admit: () => {
          waiter.finish()
          resolve()
        },
        finish: () => {
          clearTimeout(timer)
          job.signal.removeEventListener('abort', stopped)
          signal.removeEventListener('abort', left)
        },
      }
      queue.push(waiter)
      job.signal.addEventListener('abort', stopped)
      signal.addEventListener('abort', left)
    })
  }

  /** Gives the slot back and lets the next one in. Giving back twice is not an error. */
  release(job: Job): void {
    const holding = this.#running.get(job.account)
    const index = holding?.indexOf(job) ?? -1
    if (!holding || index < 0) return
    holding.splice(index, 1)
    if (holding.length === 0) this.#running.delete(job.account)
    this.#admitNext(job.account)
  }

  #admitNext(account: string): void {
    const queue = this.#waiting.get(account)
    const next = queue?.shift()
    if (!queue || !next) return
    if (queue.length === 0) this.#waiting.delete(account)
    this.#hold(next.job)
    next.admit()
  }

  #hasRoom(account: string): boolean {
    return this.holding(account).length < this.#limitOf(account)
  }

  #hold(job: Job): void {
    const holding = this.#running.get(job.account)
    if (holding) holding.push(job)
    else this.#running.set(job.account, [job])
  }

  #refusal(job: Job, because?: string): Problem {
    const blocking = this.holding(job.account).at(-1)
    const what = blocking?.file ? ` of ${blocking.file}` : ''
    const reason = because ? `; ${because}` : ''
    return new Problem(
      'job-running',
      `Another ${job.kind}${what} is running${reason}. Wait for it, or stop it first.`,
      blocking ? { job: blocking.record(), stop: `/jobs/${blocking.id}/stop` } : {},
    )
  }
}

/** How many may wait for one account and kind. */
const maxWaiting = 16

interface Waiter {
  job: Job
  admit(): void
  finish(): void
}
