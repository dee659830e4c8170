import type { Clock } from '../clock.js'
import { Hold } from './hold.js'
import { Throttle } from './throttle.js'

/** The rate limits of the accounts, each shared by all transfers of its account. They can all be held together. */
export class AccountThrottles {
  readonly hold = new Hold()
  readonly #throttles = new Map<string, Throttle>()
  readonly #bytesPerSecond: number | null
  readonly #clock: Clock
  #onBook: (account: string) => void = () => {}

  constructor(bytesPerSecond: number | null, clock: Clock) {
    this.#bytesPerSecond = bytesPerSecond
    this.#clock = clock
  }

  of(account: string): Throttle {
    const known = this.#throttles.get(account)
    if (known) return known
    const onBook = () => this.#onBook(account)
    const throttle = new Throttle(this.#bytesPerSecond, this.#clock, { hold: this.hold, onBook })
    this.#throttles.set(account, throttle)
    return throttle
  }

  /** Calls back before each booking of an account that has a limit. */
  observe(onBook: (account: string) => void): void {
    this.#onBook = onBook
  }
}
