import { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import type { Throttle } from '../jobs/throttle.js'
import { unlessAborted } from './abortable.js'

export interface FlowOptions {
  job: Job
  /** Limits that the job shares with others, beside its own. */
  shared: Throttle[]
  /** Milliseconds without a byte after which the stream counts as stalled; pauses and pacing do not count. */
  idleTimeoutMs: number
  /** Ends this one stream, where the job's own signal ends all of them. */
  signal: AbortSignal
}

/**
 * The one stage that every byte of every upload and export passes, by back-pressure: it counts, paces, pauses, stops,
 * and notices a stall. One flow for each stream; the streams of a job share its pause and its rate.
 */
export class Flow {
  readonly signal: AbortSignal
  readonly #job: Job
  readonly #shared: Throttle[]
  readonly #idleTimer: NodeJS.Timeout
  readonly #stall = new AbortController()
  #lastByteAt = performance.now()
  #held = 0

  constructor({ job, shared, idleTimeoutMs, signal }: FlowOptions) {
    this.#job = job
    this.#shared = shared
    this.signal = AbortSignal.any([job.signal, signal, this.#stall.signal])
    this.#idleTimer = setInterval(() => this.#checkIdle(idleTimeoutMs), Math.max(20, idleTimeoutMs / 10))
    this.#idleTimer.unref()
  }

  /**
   * Lets bytes pass: at once where nothing holds them, so that an unlimited stream pays nothing, else when the promise
   * resolves. Throws, or rejects with, the reason for which the transfer ends.
   */
  pass(bytes: number): undefined | Promise<void> {
    this.signal.throwIfAborted()
    if (!this.#isHeld()) {
      this.#count(bytes)
      return undefined
    }
    return this.#passHeld(bytes)
  }

  /** The most bytes to move at once, so that a limited stream runs evenly. */
  get step(): number {
    const limits = [this.#job.throttle, ...this.#shared].flatMap((throttle) => throttle.bytesPerSecond ?? [])
    return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(minStep, Math.min(...limits) / stepsPerSecond)
  }

  /** When the last byte passed, by `performance.now()`. */
  get lastByteAt(): number {
    return this.#lastByteAt
  }

  /** Notes that the other end moves, where no byte passes here: it is no stall. */
  touch(): void {
    this.#lastByteAt = performance.now()
  }

  /** Must be called once the stream has ended. */
  close(): void {
    clearInterval(this.#idleTimer)
  }

  #isHeld(): boolean {
    return (
      this.#job.state === 'paused' ||
      this.#job.throttle.bytesPerSecond !== null ||
      this.#shared.some((throttle) => throttle.bytesPerSecond !== null)
    )
  }

  async #passHeld(bytes: number): Promise<void> {
    this.#held++
    try {
      for (let left = bytes; left > 0; ) {
        await unlessAborted(this.#job.unpaused, this.signal)
        const piece = Math.ceil(Math.min(left, this.step))
        const now = performance.now()
        const waitMs = Math.max(...[this.#job.throttle, ...this.#shared].map((throttle) => throttle.book(piece, now)))
        if (waitMs >= 1) await this.#sleep(waitMs)
        this.#count(piece)
        left -= piece
      }
    } finally {
      this.#held--
      this.touch()
    }
  }

  #count(bytes: number): void {
    this.#lastByteAt = performance.now()
    this.#job.count(bytes)
  }

  #checkIdle(idleTimeoutMs: number): void {
    if (this.#held > 0 || this.#job.state === 'paused') {
      this.touch()
      return
    }
    if (performance.now() - this.#lastByteAt < idleTimeoutMs) return
    this.#stall.abort(new Problem('stalled', `No byte moved for ${Math.round(idleTimeoutMs / 1000)} s.`))
  }

  #sleep(milliseconds: number): Promise<void> {
    return unlessAborted(new Promise((resolve) => setTimeout(resolve, milliseconds)), this.signal)
  }
}

const minStep = 1024
const stepsPerSecond = 20
