import { Problem } from '../../protocol/problems.js'
import { LeakyCounter, type LeakyCounterOptions } from './leaky-counter.js'

export interface BudgetOptions extends Pick<LeakyCounterOptions, 'maxKeys' | 'clock' | 'onAdd'> {
  /** The maximum number at the same time. */
  burst: number
  /** The interval after which one more is allowed. */
  everyMs: number
  /** The subject of the error message: "signups from your address". */
  what: string
}

/** Rate limits by key: a burst, then one per interval. */
export class Budget {
  readonly #options: BudgetOptions
  readonly #spent: LeakyCounter

  constructor(options: BudgetOptions) {
    const { everyMs, maxKeys, clock, onAdd } = options
    this.#options = options
    const counting = { ...(maxKeys ? { maxKeys } : {}), ...(onAdd ? { onAdd } : {}) }
    this.#spent = new LeakyCounter({ clock, leakMs: everyMs, ...counting })
  }

  /** Counts what was spent elsewhere. */
  learn(key: string, amount: number): void {
    this.#spent.learn(key, amount)
  }

  /** Throws `too-many-requests` with `retryAfter` in seconds. */
  spend(key: string): void {
    const { burst, everyMs, what } = this.#options
    const excess = this.#spent.level(key) + 1 - burst
    if (excess > 0) {
      const retryAfter = Math.max(1, Math.ceil((excess * everyMs) / 1000))
      throw new Problem('too-many-requests', `Too many ${what}: try again in ${retryAfter} s.`, { retryAfter })
    }
    this.#spent.add(key)
  }
}
