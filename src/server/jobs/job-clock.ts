import type { Clock } from '../clock.js'

/** The times of one job. They never go back, even if the system's clock is set back while the job runs. */
export class JobClock {
  readonly #clock: Clock
  #at: number
  #readAt: number

  /** `from`: a time of the job in an earlier run of the server, in milliseconds since 1970. */
  constructor(clock: Clock, from = 0) {
    this.#clock = clock
    this.#at = from
    this.#readAt = clock.monotonicMs()
  }

  now(): Date {
    const readAt = this.#clock.monotonicMs()
    const elapsed = this.#at === 0 ? 0 : readAt - this.#readAt
    // After the clock was set back, elapsed time counts; after it was set ahead, or the machine slept, the system's
    // clock.
    this.#at = Math.max(this.#clock.now(), this.#at + elapsed)
    this.#readAt = readAt
    return new Date(this.#at)
  }
}
