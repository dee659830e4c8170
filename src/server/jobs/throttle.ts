/** A rate limit that any number of streams share. It knows nothing of time passing: it says how long to wait. */
export class Throttle {
  #bytesPerSecond: number | null
  #nextFreeAt = 0

  /** `bytesPerSecond` null means no limit. */
  constructor(bytesPerSecond: number | null) {
    this.#bytesPerSecond = bytesPerSecond
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond
  }

  set bytesPerSecond(limit: number | null) {
    this.#bytesPerSecond = limit
    this.#nextFreeAt = 0
  }

  /** Books `bytes` and returns the milliseconds to wait before they may pass. */
  book(bytes: number, now: number): number {
    if (this.#bytesPerSecond === null) return 0
    // What a late timer lost may be caught up with, but no more than that: an idle stream earns no burst.
    const start = Math.max(this.#nextFreeAt, now - catchUpMs)
    this.#nextFreeAt = start + (bytes / this.#bytesPerSecond) * 1000
    return Math.max(0, start - now)
  }
}

const catchUpMs = 100
