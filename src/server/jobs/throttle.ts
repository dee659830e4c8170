/** A rate limit that any number of streams share. It knows nothing of time passing: it says how long to wait. */
export class Throttle {
  readonly #waiting = new Set<() => void>()
  #bytesPerSecond: number | null
  #nextFreeAt: number

  /** `bytesPerSecond` null means no limit. */
  constructor(bytesPerSecond: number | null) {
    this.#bytesPerSecond = bytesPerSecond
    this.#nextFreeAt = performance.now()
  }

  get bytesPerSecond(): number | null {
    return this.#bytesPerSecond
  }

  /** Voids every booking; whoever waits is told, since its wait was counted by the limit that is no more. */
  set bytesPerSecond(limit: number | null) {
    this.#bytesPerSecond = limit
    this.#nextFreeAt = performance.now()
    for (const onChange of [...this.#waiting]) onChange()
  }

  /** Books `bytes` and returns the milliseconds to wait before they may pass. `now` as of `performance.now()`. */
  book(bytes: number, now: number): number {
    if (this.#bytesPerSecond === null) return 0
    // What a late timer lost may be caught up with, but no more than that: an idle stream earns no burst.
    const start = Math.max(this.#nextFreeAt, now - catchUpMs)
    this.#nextFreeAt = start + (bytes / this.#bytesPerSecond) * 1000
    return Math.max(0, start - now)
  }

  /** Calls back when the limit changes. Returns the function that ends it. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback)
    return () => this.#waiting.delete(callback)
  }
}

/** A busy machine wakes a sleeper this late, now and then; in ten seconds it is 2 %. */
const catchUpMs = 200
