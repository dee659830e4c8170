/**
 * Tells the rate of a transfer over the last seconds. What is counted here are bytes that the system has taken: it takes a
 * few megabytes at once, and then, from a slow transfer, as much again whenever they have gone. So the rate goes from one
 * step to another: neither the first step, which only fills buffers, nor the time since the last one counts.
 */
export class RateMeter {
  #steps: Step[] = []
  #bytes: number
  #movedMs: number
  /** Between two steps, ever. */
  #longestWaitMs = 0

  /** `bytes` are there already, at `nowMs` of whatever clock. */
  constructor(bytes: number, nowMs: number) {
    this.#bytes = bytes
    this.#movedMs = nowMs
  }

  /** Takes down that there are so many bytes now; answers with bytes per second, or undefined before that can be told. */
  measure(bytes: number, nowMs: number): number | undefined {
    const isStanding = nowMs - this.#movedMs > Math.max(standingMs, 2 * this.#longestWaitMs)
    if (bytes > this.#bytes) this.#step(bytes, nowMs, isStanding)
    else if (isStanding) return 0
    return this.#rate(nowMs)
  }

  #step(bytes: number, nowMs: number, isFirst: boolean): void {
    if (this.#steps.length > 0) this.#longestWaitMs = Math.max(this.#longestWaitMs, nowMs - this.#movedMs)
    // After a standstill the time before says nothing.
    if (isFirst) this.#steps = []
    this.#steps.push({ bytes, atMs: nowMs })
    this.#bytes = bytes
    this.#movedMs = nowMs
    while (this.#steps.length > fewest && this.#steps[1]!.atMs <= nowMs - windowMs) this.#steps.shift()
  }

  #rate(nowMs: number): number | undefined {
    const [first] = this.#steps
    if (!first) return undefined
    const spanMs = this.#movedMs - first.atMs
    if (spanMs < (this.#steps.length < fewest ? longestMs : shortestMs)) return undefined
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
/** Steps differ in size, and so many of them make up for it. */
const fewest = 4
/** Before, one step more or less would make too much of a difference; where steps are rare, that takes longer. */
const shortestMs = 1_000
const longestMs = 5_000
/** So long without a step is a standstill, unless steps were that rare before. */
const standingMs = 10_000
