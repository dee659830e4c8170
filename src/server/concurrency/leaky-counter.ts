import type { Clock } from '../clock.js'

export interface LeakyCounterOptions {
  clock: Clock
  /** The interval after which a level decreases by one. */
  leakMs: number
  /** The maximum level of a key; default: no limit. */
  highest?: number
  /** The maximum number of keys; default 10,000. The one without an addition for the longest time is removed first. */
  maxKeys?: number
  /** Called for each addition by `add`, but not by `learn`. */
  onAdd?: (key: string, amount: number) => void
}

/** Counters by key that decay linearly: each level decreases by one every `leakMs`. */
export class LeakyCounter {
  readonly #options: Required<LeakyCounterOptions>
  readonly #levels = new Map<string, { level: number; at: number }>()

  constructor(options: LeakyCounterOptions) {
    this.#options = { highest: Number.POSITIVE_INFINITY, maxKeys: 10_000, onAdd() {}, ...options }
  }

  level(key: string): number {
    const { leakMs, clock } = this.#options
    const entry = this.#levels.get(key)
    return entry ? Math.max(0, entry.level - (clock.monotonicMs() - entry.at) / leakMs) : 0
  }

  add(key: string, amount = 1): void {
    this.learn(key, amount)
    this.#options.onAdd(key, amount)
  }

  /** Adds what was counted elsewhere. */
  learn(key: string, amount: number): void {
    const { highest, maxKeys, clock } = this.#options
    const level = Math.min(highest, this.level(key) + amount)
    // Set again: a map keeps the order of insertion.
    this.#levels.delete(key)
    this.#levels.set(key, { level, at: clock.monotonicMs() })
    if (this.#levels.size > maxKeys) this.#levels.delete(this.#levels.keys().next().value!)
  }
}
