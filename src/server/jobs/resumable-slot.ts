import type { Clock } from '../clock.js'
import type { QueueWait } from '../stores/slots.js'
import type { Job } from './job.js'
import type { Jobs } from './jobs.js'

export interface SlotLimits {
  clock: Clock
  /** How long a job keeps its slot after the last byte of a request, in milliseconds. */
  keepSlotMs: number
  /** The same while another job of the account waits for the slot. */
  keepWantedSlotMs: number
}

/** The slot of a job that outlives its requests: it is kept for a while between two of them. */
export class ResumableSlot {
  readonly #jobs: Jobs
  readonly #job: Job
  readonly #limits: SlotLimits
  readonly #onDue: () => void
  #isHeld = false
  #cancelTimer: () => void = () => {}
  /** By `Clock.monotonicMs`; null while a request is running. */
  #idleSince: number | null = null

  /** `onDue` is called when `isDue` and `isSuspensionDue` should be checked. */
  constructor(jobs: Jobs, job: Job, limits: SlotLimits, onDue: () => void) {
    this.#jobs = jobs
    this.#job = job
    this.#limits = limits
    this.#onDue = onDue
  }

  /** Claims the slot, or waits for it. Like `Jobs.claimSlot`. */
  async claim(wait: QueueWait): Promise<void> {
    await this.#jobs.claimSlot(this.#job, wait, () => this.#plan())
    this.#isHeld = true
  }

  release(): void {
    this.#isHeld = false
    this.#jobs.releaseSlot(this.#job)
  }

  /** A request is running. */
  use(): void {
    this.#idleSince = null
    this.#cancelTimer()
  }

  /** No request is running. `since`: when its last byte arrived, by `Clock.monotonicMs`. */
  idle(since: number): void {
    this.#idleSince = since
    this.#plan()
  }

  /** Stops the timer for good. */
  close(): void {
    this.use()
  }

  /** Whether the slot should be released. */
  get isDue(): boolean {
    return this.isHeld && this.#dueInMs <= 0
  }

  /** Whether the client has been away for so long that the space and the open file should be released, too. */
  get isSuspensionDue(): boolean {
    return this.#idleMs >= this.#limits.keepSlotMs
  }

  get isHeld(): boolean {
    return this.#isHeld && !this.#job.isEnded
  }

  get #idleMs(): number {
    return this.#idleSince === null ? 0 : this.#limits.clock.monotonicMs() - this.#idleSince
  }

  get #dueInMs(): number {
    const { keepSlotMs, keepWantedSlotMs } = this.#limits
    const isWanted = this.isHeld && this.#jobs.isSlotWanted(this.#job)
    return (isWanted ? Math.min(keepSlotMs, keepWantedSlotMs) : keepSlotMs) - this.#idleMs
  }

  #plan(): void {
    this.#cancelTimer()
    if (this.#idleSince === null) return
    this.#cancelTimer = this.#limits.clock.after(Math.max(0, this.#dueInMs), this.#onDue)
  }
}

/** Call it when the client has disconnected, or was never connected. */
export function interrupt(job: Job): void {
  if (job.state === 'running' || job.state === 'paused') job.interrupt()
}
