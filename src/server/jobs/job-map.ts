import type { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Release, Semaphore } from '../concurrency/semaphore.js'
import { maxWaiting } from '../stores/slot-limits.js'
import { jobRunning } from '../stores/slot-problems.js'
import type { QueueWait, SlotJob } from '../stores/slots.js'

/** For one kind of job: the slots of each account, the jobs that hold them, and the queue for them. */
export class JobMap {
  readonly #slots: Semaphore
  readonly #holders = new Map<string, Map<SlotJob, Holder>>()
  /** Waiting requests to which `maxWaiting` applies, by account. */
  readonly #bounded = new Map<string, number>()

  readonly #clock: Pick<Clock, 'after'>

  constructor(limitOf: (account: string) => number, clock: Pick<Clock, 'after'>) {
    this.#clock = clock
    this.#slots = new Semaphore({ slotsPerKey: limitOf })
  }

  /** The jobs that hold a slot, oldest first. */
  holding(account: string): SlotJob[] {
    return [...(this.#holders.get(account)?.keys() ?? [])]
  }

  /** Whether another job waits for a slot of the account. */
  isWanted(account: string): boolean {
    return this.#slots.waiting(account) > 0
  }

  /**
   * Takes a slot synchronously; false if the job has to wait, also behind queued ones. `onWanted` is called when
   * another job starts to wait for this job's slot.
   */
  tryClaim(job: SlotJob, onWanted?: () => void): boolean {
    const release = this.#slots.tryAcquire(job.account)
    if (release) this.#hold(job, { release, onWanted })
    return release !== undefined
  }

  /** Replaces the callback of a job that holds a slot; false if it holds none. */
  watch(job: SlotJob, onWanted: () => void): boolean {
    const holder = this.#holders.get(job.account)?.get(job)
    if (holder) holder.onWanted = onWanted
    return holder !== undefined
  }

  /**
   * Waits for a slot: first come, first served. Throws `job-running`, naming the running job, if it may not wait or the
   * queue is full. The promise rejects with `job-running` if no slot became free in time, with the job's own abort
   * reason if it was stopped meanwhile, and with the reason of `wait.signal`.
   */
  queueUp(job: SlotJob, wait: QueueWait, onWanted?: () => void): Promise<void> {
    wait.signal.throwIfAborted()
    const { isBounded = true } = wait
    if (wait.waitMs === 0) throw this.#refusal(job)
    if (isBounded && (this.#bounded.get(job.account) ?? 0) >= maxWaiting) {
      throw this.#refusal(job, `${maxWaiting} wait already`)
    }
    return this.#wait(job, { ...wait, isBounded }, onWanted)
  }

  /** Gives the slot to the next job in the queue. Repeating it is not an error. */
  release(job: SlotJob): void {
    const holders = this.#holders.get(job.account)
    const holder = holders?.get(job)
    if (!holders || !holder) return
    holders.delete(job)
    if (holders.size === 0) this.#holders.delete(job.account)
    holder.release()
  }

  async #wait(job: SlotJob, wait: QueueWait & { isBounded: boolean }, onWanted?: () => void): Promise<void> {
    const { account } = job
    const late = new AbortController()
    const isTimed = Number.isFinite(wait.waitMs)
    const refuseLate = () => late.abort(this.#refusal(job))
    const cancel = isTimed ? this.#clock.after(wait.waitMs, refuseLate) : () => {}
    const signal = AbortSignal.any([job.signal, wait.signal, late.signal])
    this.#countBounded(account, wait.isBounded ? 1 : 0)
    try {
      const admitted = this.#slots.acquire(account, signal)
      for (const holder of this.#holders.get(account)?.values() ?? []) holder.onWanted?.()
      const release = await admitted
      // Other code ran between the admission and here.
      if (signal.aborted) release()
      signal.throwIfAborted()
      this.#hold(job, { release, onWanted })
    } finally {
      cancel()
      this.#countBounded(account, wait.isBounded ? -1 : 0)
    }
  }

  #countBounded(account: string, by: number): void {
    const count = (this.#bounded.get(account) ?? 0) + by
    if (count > 0) this.#bounded.set(account, count)
    else this.#bounded.delete(account)
  }

  #hold(job: SlotJob, holder: Holder): void {
    const holders = this.#holders.get(job.account) ?? new Map<SlotJob, Holder>()
    this.#holders.set(job.account, holders.set(job, holder))
  }

  #refusal(job: SlotJob, because?: string): Problem {
    return jobRunning(job.kind, this.holding(job.account).at(-1)?.record(), because)
  }
}

interface Holder {
  release: Release
  onWanted: (() => void) | undefined
}
