import { setMaxListeners } from 'node:events'
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
  /** Of what passed here, the bytes that the other end has not taken yet: where it changes, something moves. */
  unsent?: () => number
}

/**
 * The one stage that every byte of every upload and export passes, by back-pressure: it counts, paces, pauses, stops,
 * and notices a stall. One flow for each stream; the streams of a job share its pause and its rate.
 */
export class Flow {
  readonly signal: AbortSignal
  readonly #job: Job
  readonly #throttles: Throttle[]
  readonly #idleTimer: NodeJS.Timeout
  readonly #stall = new AbortController()
  readonly #unsent: () => number
  #lastUnsent = 0
  #lastByteAt = performance.now()
  #nextCheckAt: number
  #held = 0

  constructor({ job, shared, idleTimeoutMs, signal, unsent = () => 0 }: FlowOptions) {
    this.#job = job
    this.#unsent = unsent
    this.#throttles = [job.throttle, ...shared]
    this.signal = AbortSignal.any([job.signal, signal, this.#stall.signal])
    // Every file of a form listens to it: that is no leak, and Node would warn of one.
    setMaxListeners(0, this.signal)
    const everyMs = Math.max(20, idleTimeoutMs / 10)
    this.#nextCheckAt = performance.now() + everyMs
    this.#idleTimer = setInterval(() => this.#checkIdle(idleTimeoutMs, everyMs), everyMs)
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
    const limits = this.#throttles.flatMap((throttle) => throttle.bytesPerSecond ?? [])
    return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(minStep, Math.min(...limits) / stepsPerSecond)
  }

  /** When the last byte passed, by `performance.now()`; later by as long as this process stood still since. */
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
    return this.#job.state === 'paused' || this.#throttles.some((throttle) => throttle.bytesPerSecond !== null)
  }

  async #passHeld(bytes: number): Promise<void> {
    this.#held++
    try {
      for (let left = bytes; left > 0; ) {
        await this.#untilUnpaused()
        const piece = Math.ceil(Math.min(left, this.step))
        if (!(await this.#untilTurn(piece))) continue
        await this.#untilUnpaused()
        this.#count(piece)
        left -= piece
      }
    } finally {
      this.#held--
      this.touch()
    }
  }

  async #untilUnpaused(): Promise<void> {
    // Paused again before this one went on: it is held like any other.
    while (this.#job.state === 'paused') await unlessAborted(this.#job.unpaused, this.signal)
  }

  /** True when the piece may pass; false when a limit changed meanwhile, so that its size and its wait mean nothing any more. */
  async #untilTurn(piece: number): Promise<boolean> {
    const now = performance.now()
    const waitMs = Math.max(...this.#throttles.map((throttle) => throttle.book(piece, now)))
    return waitMs < 1 || this.#sleep(waitMs)
  }

  #count(bytes: number): void {
    this.#lastByteAt = performance.now()
    this.#job.count(bytes)
  }

  #checkIdle(idleTimeoutMs: number, everyMs: number): void {
    const now = performance.now()
    // While this process stood still, what the other end sent went unread: that is not its silence.
    this.#lastByteAt = Math.min(now, this.#lastByteAt + Math.max(0, now - this.#nextCheckAt))
    this.#nextCheckAt = now + everyMs
    const unsent = this.#unsent()
    const moves = unsent !== this.#lastUnsent
    this.#lastUnsent = unsent
    if (moves || this.#held > 0 || this.#job.state === 'paused') {
      this.touch()
      return
    }
    if (now - this.#lastByteAt < idleTimeoutMs) return
    this.#stall.abort(new Problem('stalled', `No byte moved for ${Math.round(idleTimeoutMs / 1000)} s.`))
  }

  /** True after the time, false as soon as a limit changes. Rejects with the reason for which the transfer ends. */
  #sleep(milliseconds: number): Promise<boolean> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        for (const forget of forgets) forget()
        settle()
      }
      const onAbort = () => end(() => reject(signal.reason))
      const timer = setTimeout(() => end(() => resolve(true)), Math.min(milliseconds, longestSleepMs))
      const forgets = this.#throttles.map((throttle) => throttle.onChange(() => end(() => resolve(false))))
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
    })
  }
}

const minStep = 1
const stepsPerSecond = 20
/** Node fires a longer timer at once. */
const longestSleepMs = 2 ** 31 - 1
