import type { Clock } from '../../dist/server/clock.js'

interface TestTimer {
  dueAt: number
  /** Null for one that fires once. */
  everyMs: number | null
  callback: () => void
}

/** A clock that runs only when a test advances it. */
export class TestClock implements Clock {
  readonly #timers = new Set<TestTimer>()
  #elapsedMs = 0
  #startedAt: number

  constructor(startedAt = Date.now()) {
    this.#startedAt = startedAt
  }

  now(): number {
    return this.#startedAt + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.#add({ dueAt: this.#elapsedMs + Math.max(0, delayMs), everyMs: null, callback })
  }

  every(everyMs: number, callback: () => void): () => void {
    return this.#add({ dueAt: this.#elapsedMs + everyMs, everyMs, callback })
  }

  /** Fires each timer at its time, and lets what waited for it run before the next one. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms
    // The last action of the test may set a timer.
    await settled()
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueAt)
      if (next.everyMs === null) this.#timers.delete(next)
      else next.dueAt += next.everyMs
      next.callback()
      await settled()
    }
    this.#elapsedMs = until
  }

  /** Jumps ahead as if the process had been suspended: due timers fire at the next `advance`. */
  skip(ms: number): void {
    this.#elapsedMs += ms
  }

  /** Sets the system's clock, which timers do not go by. */
  jump(ms: number): void {
    this.#startedAt += ms
  }

  #add(timer: TestTimer): () => void {
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  #next(until: number): TestTimer | undefined {
    const due = [...this.#timers].filter(({ dueAt }) => dueAt <= until)
    return due.sort((a, b) => a.dueAt - b.dueAt)[0]
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
