import { isIPv6 } from 'node:net'
import { Problem } from '../../protocol/problems.js'

/** What a check of a password came to. */
export interface Checked<T> {
  wrong: boolean
  result: T
}

export interface LoginLimiterOptions {
  /** Wrong passwords a minute from one address for one account; default 10. */
  perAccount?: number
  /** Wrong passwords a minute from one address; default 100. */
  perAddress?: number
  /** How many checks may wait for others to end; default 50. */
  maxWaiting?: number
  /** How many addresses and accounts are remembered; default 10,000. The one longest without a wrong password is forgotten first. */
  maxRemembered?: number
  /** A clock in milliseconds; default `performance.now`. */
  now?: () => number
}

/** Slows guessing down without locking an account: whoever asks from another address is not held up. */
export class LoginLimiter {
  readonly #options: Required<LoginLimiterOptions>
  readonly #windows = new Map<string, Window>()
  #waiting = 0

  constructor(options: LoginLimiterOptions = {}) {
    const defaults = { perAccount: 10, perAddress: 100, maxWaiting: 50, maxRemembered: 10_000 }
    this.#options = { ...defaults, now: () => performance.now(), ...options }
  }

  /**
   * Runs a check and counts it when it was wrong. While so many are under way that all allowed ones could be wrong, the next
   * waits for their ends: a burst guesses no more than a row, and right ones are not refused.
   * Throws `too-many-attempts`, or `busy` when too many wait, with `retryAfter` in seconds.
   */
  async check<T>(address: string, account: string, run: () => Promise<Checked<T>>): Promise<T> {
    const network = networkOf(address)
    const windows = await this.#enter([
      { key: network, most: this.#options.perAddress },
      { key: `${network} ${account}`, most: this.#options.perAccount },
    ])
    let wrong = false
    try {
      const checked = await run()
      wrong = checked.wrong
      return checked.result
    } finally {
      for (const window of windows) this.#leave(window, wrong)
    }
  }

  /** Waits until every limit has room, then takes a place in each. */
  async #enter(limits: { key: string; most: number }[]): Promise<Window[]> {
    for (;;) {
      for (const { key, most } of limits) this.#refuseSpent(key, most)
      const full = limits
        .map(({ key, most }) => ({ window: this.#windows.get(key), most }))
        .find(({ window, most }) => window && window.wrongAt.length + window.underWay >= most)
      if (!full?.window) return limits.map(({ key }) => this.#take(key))
      await this.#turn(full.window)
    }
  }

  #refuseSpent(key: string, most: number): void {
    const window = this.#windows.get(key)
    if (!window) return
    const now = this.#options.now()
    window.wrongAt = window.wrongAt.filter((at) => at > now - minute)
    if (window.wrongAt.length < most) return
    const retryAfter = Math.max(1, Math.ceil((window.wrongAt[0]! + minute - now) / 1000))
    throw new Problem('too-many-attempts', `Too many wrong passwords: try again in ${retryAfter} s.`, { retryAfter })
  }

  async #turn(window: Window): Promise<void> {
    if (this.#waiting >= this.#options.maxWaiting) {
      throw new Problem('busy', 'Too many passwords wait to be checked: try again in a few seconds.', { retryAfter: 5 })
    }
    this.#waiting += 1
    await new Promise<void>((resolve) => window.waiting.push(resolve))
    this.#waiting -= 1
  }

  #take(key: string): Window {
    const window = this.#windows.get(key) ?? { key, wrongAt: [], underWay: 0, waiting: [] }
    window.underWay += 1
    this.#windows.set(key, window)
    return window
  }

  #leave(window: Window, wrong: boolean): void {
    window.underWay -= 1
    if (wrong) window.wrongAt.push(this.#options.now())
    const idle = window.underWay === 0 && window.waiting.length === 0
    if (wrong || (idle && window.wrongAt.length === 0)) this.#windows.delete(window.key)
    // Set again: a map keeps the order of setting, so that its first is the one longest without a wrong password.
    if (wrong) this.#windows.set(window.key, window)
    this.#forget()
    for (const resolve of window.waiting.splice(0)) resolve()
  }

  #forget(): void {
    for (const [key, window] of this.#windows) {
      if (this.#windows.size <= this.#options.maxRemembered) return
      if (window.underWay === 0 && window.waiting.length === 0) this.#windows.delete(key)
    }
  }
}

const minute = 60_000

interface Window {
  readonly key: string
  /** When a wrong password came, oldest first, within the last minute or so. */
  wrongAt: number[]
  underWay: number
  waiting: (() => void)[]
}

/** An IPv6 customer has a whole /64 to ask from. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped) return mapped[1]!
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const end = tail === '' ? [] : tail.split(':')
    while (groups.length + end.length < 8) groups.push('0')
    groups.push(...end)
  }
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
