import { Problem } from '../../protocol/problems.js'
import { LeakyCounter, type LeakyCounterOptions } from '../concurrency/leaky-counter.js'
import { QueueFullError, Semaphore } from '../concurrency/semaphore.js'

export interface SlowDownOptions extends Pick<LeakyCounterOptions, 'leakMs' | 'maxKeys' | 'clock' | 'onAdd'> {
  /** Free attempts before the first delay. */
  free: number
  /** The maximum delay between two attempts. */
  slowestMs: number
  /** How many attempts of one key may wait; default 50. */
  maxWaiting?: number
  /** How many servers take attempts: each delays its own that many times as long. Default 1. */
  servers?: () => number
}

/** Ends an attempt and counts `weight` for it. Calling it twice is not an error. */
export type Leave = (weight: number) => void

/**
 * Delays the attempts of a key: beyond the free ones, each counted attempt delays the next, by 10 ms at first, doubling
 * every ten, up to `slowestMs`. Keys are never locked: the next attempt waits, and then runs.
 */
export class SlowDown {
  readonly #options: Required<Pick<SlowDownOptions, 'free' | 'slowestMs' | 'clock' | 'servers'>>
  readonly #counter: LeakyCounter
  readonly #attempts: Semaphore

  constructor({ free, slowestMs, maxWaiting = 50, servers = () => 1, ...counting }: SlowDownOptions) {
    this.#options = { free, slowestMs, servers, clock: counting.clock }
    const highest = free + doublingEvery * Math.ceil(Math.log2(slowestMs / shortestMs))
    this.#counter = new LeakyCounter({ ...counting, highest })
    // Count pending attempts as well: concurrent attempts must not get more than sequential ones.
    const slotsPerKey = (key: string) => Math.max(1, free - Math.ceil(this.#counter.level(key)))
    this.#attempts = new Semaphore({ slotsPerKey, maxWaitingPerKey: maxWaiting })
  }

  /** Waits for the key's delay. Throws `too-many-attempts` if that would take too long, and the signal's reason. */
  async enter(key: string, signal?: AbortSignal): Promise<Leave> {
    const waitMs = this.#expectedWait(key)
    if (waitMs > longestWaitMs * this.#options.servers()) throw tooMany(waitMs)
    const release = await this.#attempts.acquire(key, signal).catch((error) => {
      throw error instanceof QueueFullError ? tooMany(waitMs) : error
    })
    let hasLeft = false
    return (weight) => {
      if (hasLeft) return
      hasLeft = true
      if (weight > 0) this.#counter.add(key, weight)
      const delayMs = weight > 0 ? this.#delay(key) : 0
      if (delayMs === 0) release()
      else this.#options.clock.after(delayMs, release)
    }
  }

  /** Counts attempts of another server. */
  learn(key: string, weight: number): void {
    this.#counter.learn(key, weight)
  }

  /** Earlier attempts may all be counted, and increase the delays. */
  #expectedWait(key: string): number {
    const [held, waiting] = [this.#attempts.held(key), this.#attempts.waiting(key)]
    let waitMs = 0
    for (let ahead = 0; ahead <= waiting; ahead++) waitMs += this.#delay(key, held + ahead)
    return waitMs
  }

  #delay(key: string, ahead = 0): number {
    const { free, slowestMs, servers } = this.#options
    const excess = this.#counter.level(key) + ahead - free
    return excess <= 0 ? 0 : servers() * Math.min(slowestMs, shortestMs * 2 ** (excess / doublingEvery))
  }
}

const shortestMs = 10
const doublingEvery = 10
const longestWaitMs = 10_000

function tooMany(waitMs: number): Problem {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000))
  return new Problem('too-many-attempts', `Too many logins at once: try again in ${retryAfter} s.`, { retryAfter })
}
