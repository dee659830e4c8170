import type { Clock } from '../clock.js'
import { Hold } from './hold.js'
import { Throttle } from './throttle.js'

/** The rate limits of the accounts, each shared by all transfers of its account. They can all be held together. */
export class AccountThrottles {
  readonly hold = new Hold()
  readonly #throttles = new Map<string, Throttle>()
  readonly #bytesPerSecond: number | null
  readonly #clock: Clock

  constructor(bytesPerSecond: number | null, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
  }

  of(account: string): Throttle {
    const throttle = this.#throttles.get(account) ?? new Throttle(this.#bytesPerSecond, this.#clock, this.hold)
    this.#throttles.set(account, throttle)
    return throttle
  }
}
