/** Counts bytes and knows their rate over the last seconds. */
export class Meter {
  #bytes = 0
  #samples: { at: number; bytes: number }[] = []

  get bytes(): number {
    return this.#bytes
  }

  count(bytes: number): void {
    this.#sample(performance.now())
    this.#bytes += bytes
  }

  /** Goes on from `bytes`, which says nothing about the rate. */
  restart(bytes: number): void {
    this.#bytes = bytes
    this.#samples = []
  }

  /**
   * Bytes per second over the last three seconds, or over a longer time in which nothing moved and nobody asked; null until
   * there is something to tell.
   */
  rate(): number | null {
    const now = performance.now()
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
