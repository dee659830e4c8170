/**
 * Tells the rate of a transfer over the last seconds. What is counted here are bytes that the system has taken: it takes a
 * few megabytes at once, and then, from a slow transfer, as much again whenever they have gone. So the rate goes from one
 * step to another: neither the first step, which only fills buffers, nor the time since the last one counts.
 */
export class RateMeter {
  #steps: Step[] = []
  #bytes: number
  #movedMs: number

  /** `bytes` are there already, at `nowMs` of whatever clock. */
  constructor(bytes: number, nowMs: number) {
    this.#bytes = bytes
    this.#movedMs = nowMs
  }

  /** Takes down that there are so many bytes now; answers with bytes per second, or undefined before that can be told. */
  measure(bytes: number, nowMs: number): number | undefined {
    const isStanding = nowMs - this.#movedMs > Math.max(standingMs, 2 * this.#longestGap())
    if (bytes > this.#bytes) {
      // After a standstill the time before says nothing.
      if (isStanding) this.#steps = []
      this.#steps.push({ bytes, atMs: nowMs })
      this.#bytes = bytes
      this.#movedMs = nowMs
      while (this.#steps.length > 2 && this.#steps[1]!.atMs <= nowMs - windowMs) this.#steps.shift()
    } else if (isStanding) return 0
    return this.#rate(nowMs)
  }

  #rate(nowMs: number): number | undefined {
    const [first] = this.#steps
    if (!first || this.#movedMs - first.atMs < shortestMs) return undefined
    // When the next step is late, the transfer has become slower.
    const untilMs = Math.max(this.#movedMs, nowMs - this.#longestGap())
    return (this.#bytes - first.bytes) / ((untilMs - first.atMs) / 1000)
  }

  #longestGap(): number {
    return this.#steps.reduce(
      (longest, { atMs }, index) => Math.max(longest, atMs - this.#steps[Math.max(index - 1, 0)]!.atMs),
      0,
    )
  }
}

interface Step {
  readonly bytes: number
  readonly atMs: number
}

const windowMs = 4_000
/** Before, a step more or less would make too much of a difference. */
const shortestMs = 1_000
/** So long without a step is a standstill, unless steps are that rare. */
const standingMs = 10_000
