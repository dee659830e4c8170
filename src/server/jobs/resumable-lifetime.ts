import type { Clock } from '../clock.js'

/** How long an inactive job is kept, in milliseconds. */
export interface KeepLimits {
  clock: Clock
  keepPartialMs: number
  /** The same for a job without a request since its creation. */
  keepUnusedMs: number
}

/** When a job that outlives its requests expires, by a monotonic clock. */
export class ResumableLifetime {
  readonly #limits: KeepLimits
  #isUsed: boolean
  #usedAt: number

  /** `ageMs`: since its last use, by an earlier run of the server. */
  constructor(limits: KeepLimits, { isUsed, ageMs }: { isUsed: boolean; ageMs: number }) {
    this.#limits = limits
    this.#isUsed = isUsed
    this.#usedAt = this.#limits.clock.monotonicMs() - ageMs
  }

  /** Whether it has had a request since its creation, or bytes with its creation. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  get remainingMs(): number {
    return Math.max(0, this.#usedAt + this.#keepMs - this.#limits.clock.monotonicMs())
  }

  /** `isInUse`: whether it is active now. */
  expiresAt(isInUse: boolean): Date {
    return new Date(this.#limits.clock.now() + (isInUse ? this.#keepMs : this.remainingMs))
  }

  use(): void {
    this.#isUsed = true
  }

  touch(): void {
    this.#usedAt = this.#limits.clock.monotonicMs()
  }

  get #keepMs(): number {
    const { keepPartialMs, keepUnusedMs } = this.#limits
    return this.#isUsed ? keepPartialMs : Math.min(keepPartialMs, keepUnusedMs)
  }
}
