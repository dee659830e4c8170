import type { Clock } from '../clock.js'

/** Counts bytes and measures their rate over the last seconds. */
export class Meter {
  readonly #clock: Clock
  #bytes = 0
  #samples: { at: number; bytes: number }[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get bytes(): number {
    return this.#bytes
  }

  count(bytes: number): void {
    this.#sample(this.#clock.monotonicMs())
    this.#bytes += bytes
  }

  /** Continues from `bytes`, which are not included in the rate. */
  restart(bytes: number): void {
    this.#bytes = bytes
    this.#samples = []
  }

  /** Adds bytes, or takes them back where they are negative, without an effect on the rate. */
  shift(bytes: number): void {
    this.#bytes += bytes
    for (const sample of this.#samples) sample.bytes += bytes
  }

  /**
   * Bytes per second over the last three seconds, or over a longer time without progress or calls of `rate`; null for
   * the first quarter of a second.
   */
  rate(): number | null {
    const now = this.#clock.monotonicMs()
    this.#sample(now)
    const samples = this.#samples.filter(({ at }) => now - at >= sampleMs)
    const first = samples.find(({ at }) => at >= now - windowMs) ?? samples.at(-1)
    if (!first) return null
    return Math.round(((this.#bytes - first.bytes) / (now - first.at)) * 1000)
  }

  #sample(now: number): void {
    const last = this.#samples.at(-1)
    if (last && now - last.at < sampleMs) return
    this.#samples.push({ at: now, bytes: this.#bytes })
    if (this.#samples.length > windowMs / sampleMs + 1) this.#samples.shift()
  }
}

const windowMs = 3000
const sampleMs = 250
