import { setMaxListeners } from 'node:events'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { unlessAborted } from '../concurrency/abortable.js'
import type { Carrier } from '../jobs/carrier.js'
import type { Throttle } from '../jobs/throttle.js'

export interface FlowOptions {
  carrier: Carrier
  /** Limits that the job shares with others, in addition to its own. */
  shared: Throttle[]
  /** Milliseconds without a byte after which the stream is stalled; pauses and rate limits do not count. */
  idleTimeoutMs: number
  /** Ends this stream; the job's own signal ends all of them. */
  signal: AbortSignal
  /** Ends this stream while it is paused, when no byte would reveal that the peer is gone. Default: `signal` alone. */
  hungUp?: AbortSignal | undefined
  /** The bytes that passed here but that the peer has not accepted yet: a change is progress. */
  unsent?: () => number
}

/**
 * The stage that every byte of every upload and export passes through, by backpressure: it counts, throttles, pauses,
 * stops, and detects stalls. One flow per stream; the streams of a job share its pause and its rate.
 */
export class Flow {
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly #carrier: Carrier
  readonly #throttles: Throttle[]
  readonly #endIdleChecks: () => void
  readonly #pausedSignal: AbortSignal
  readonly #stall = new AbortController()
  readonly #unsent: () => number
  #lastUnsent = 0
  #lastByteAt: number
  #nextCheckAt: number
  #held = 0
  #bytes = 0

  constructor({ carrier, shared, idleTimeoutMs, signal, hungUp = signal, unsent = () => 0 }: FlowOptions) {
    this.#carrier = carrier
    this.clock = carrier.clock
    this.#lastByteAt = carrier.clock.monotonicMs()
    this.#unsent = unsent
    this.#throttles = [carrier.throttle, ...shared]
    this.signal = AbortSignal.any([carrier.signal, signal, this.#stall.signal])
    this.#pausedSignal = AbortSignal.any([this.signal, hungUp])
    // Every file of a form adds a listener: this is no leak, but Node would warn.
    setMaxListeners(0, this.signal, this.#pausedSignal)
    const everyMs = Math.max(20, idleTimeoutMs / 10)
    this.#nextCheckAt = this.#lastByteAt + everyMs
    this.#endIdleChecks = this.clock.every(everyMs, () => this.#checkIdle(idleTimeoutMs, everyMs))
  }

  /**
   * Lets bytes pass: synchronously if nothing delays them, so that an unlimited stream has no overhead, otherwise when
   * the promise resolves. Throws, or rejects with, the reason why the transfer ends.
   */
  pass(bytes: number): undefined | Promise<void> {
    this.signal.throwIfAborted()
    if (!this.#isHeld()) {
      this.#count(bytes)
      return undefined
    }
    return this.#passHeld(bytes)
  }

  /** The maximum number of bytes per step, so that a rate-limited stream runs evenly. */
  get step(): number {
    const limits = this.#throttles.flatMap((throttle) => throttle.bytesPerSecond ?? [])
    return limits.length === 0 ? Number.POSITIVE_INFINITY : Math.max(minStep, Math.min(...limits) / stepsPerSecond)
  }

  /** When the last byte passed, by `Clock.monotonicMs`; moved forward by the time that this process was suspended. */
  get lastByteAt(): number {
    return this.#lastByteAt
  }

  /** The bytes that have passed. */
  get bytes(): number {
    return this.#bytes
  }

  /** Records progress of the peer while no byte passes here: it is no stall. */
  touch(): void {
    this.#lastByteAt = this.clock.monotonicMs()
  }

  /** Call it when the stream has ended. */
  close(): void {
    this.#endIdleChecks()
  }

  #isHeld(): boolean {
    if (this.#carrier.state === 'paused') return true
    return this.#throttles.some(({ bytesPerSecond, hold }) => bytesPerSecond !== null || hold.isSet)
  }

  async #passHeld(bytes: number): Promise<void> {
    this.#held++
    try {
      // Also for 0 bytes: framing is held while the job is paused.
      await this.#untilUnpaused()
      for (let left = bytes; left > 0; ) {
        await this.#untilUnpaused()
        const chunk = Math.ceil(Math.min(left, this.step))
        if (!(await this.#untilTurn(chunk))) continue
        await this.#untilUnpaused()
        this.#count(chunk)
        left -= chunk
      }
    } finally {
      this.#held--
      this.touch()
    }
  }

  async #untilUnpaused(): Promise<void> {
    // Paused again before this one continued.
    for (;;) {
      const hold = this.#throttles.find((throttle) => throttle.hold.isSet)?.hold
      if (this.#carrier.state !== 'paused' && !hold) return
      await unlessAborted(hold ? hold.released : this.#carrier.unpaused, this.#pausedSignal)
    }
  }

  /**
   * True if the chunk may pass; false if a limit changed meanwhile, so that its size and delay are outdated. A chunk
   * that does not pass is returned, because an unchanged limit still counts it.
   */
  async #untilTurn(chunk: number): Promise<boolean> {
    const bookings = this.#throttles.map((throttle) => throttle.book(chunk))
    const waitMs = Math.max(...bookings.map((booking) => booking.waitMs))
    let passes = waitMs < 1
    try {
      passes ||= await this.#sleep(waitMs)
      return passes
    } finally {
      if (!passes) for (const booking of bookings) booking.cancel()
    }
  }

  #count(bytes: number): void {
    this.#lastByteAt = this.clock.monotonicMs()
    this.#bytes += bytes
    this.#carrier.count(bytes)
  }

  #checkIdle(idleTimeoutMs: number, everyMs: number): void {
    const now = this.clock.monotonicMs()
    // While this process was suspended it read nothing: that is not a stall of the client.
    this.#lastByteAt = Math.min(now, this.#lastByteAt + Math.max(0, now - this.#nextCheckAt))
    this.#nextCheckAt = now + everyMs
    const unsent = this.#unsent()
    const moves = unsent !== this.#lastUnsent
    this.#lastUnsent = unsent
    if (moves || this.#held > 0 || this.#carrier.state === 'paused') {
      this.touch()
      return
    }
    if (now - this.#lastByteAt < idleTimeoutMs) return
    this.#stall.abort(new Problem('stalled', `No byte moved for ${Math.round(idleTimeoutMs / 1000)} s.`))
  }

  /** True after the delay, false as soon as a limit changes. Rejects with the reason why the transfer ends. */
  #sleep(milliseconds: number): Promise<boolean> {
    const { signal } = this
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        cancelTimer()
        signal.removeEventListener('abort', onAbort)
        for (const forget of forgets) forget()
        settle()
      }
      const onAbort = () => end(() => reject(signal.reason))
      const cancelTimer = this.clock.after(milliseconds, () => end(() => resolve(true)))
      const forgets = this.#throttles.map((throttle) => throttle.onChange(() => end(() => resolve(false))))
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
    })
  }
}

const minStep = 1
const stepsPerSecond = 20
