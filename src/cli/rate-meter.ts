/**
 * Measures the rate of a transfer over the last seconds. It counts bytes that the system has accepted: the system
 * accepts a few megabytes at once and, in a slow transfer, as much again whenever they are sent. So progress comes in
 * steps; the first step, which only fills buffers, and the time since the last one are not counted.
 */
export class RateMeter {
  #steps: Step[] = []
  #bytes: number
  #movedMs: number
  /** The longest time between two steps so far. */
  #longestWaitMs = 0

  /** `bytes` are transferred at `nowMs` of any monotonic clock. */
  constructor(bytes: number, nowMs: number) {
    this.#bytes = bytes
    this.#movedMs = nowMs
  }

  /** Records the current number of bytes; returns bytes per second, or undefined if there is too little data. */
  measure(bytes: number, nowMs: number): number | undefined {
    const isStanding = nowMs - this.#movedMs > Math.max(standingMs, 2 * this.#longestWaitMs)
    if (bytes > this.#bytes) this.#step(bytes, nowMs, isStanding)
    else if (isStanding) return 0
    return this.#rate(nowMs)
  }

  #step(bytes: number, nowMs: number, isFirst: boolean): void {
    if (this.#steps.length > 0) this.#longestWaitMs = Math.max(this.#longestWaitMs, nowMs - this.#movedMs)
    // The time before a standstill is not representative.
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
    // A late step means that the transfer has slowed down.
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
/** Steps differ in size; this many average out. */
const fewest = 4
/** With less time, one step more or less would change the rate too much; rare steps need more time. */
const shortestMs = 1_000
const longestMs = 5_000
/** This long without a step is a standstill, unless steps were that rare before. */
const standingMs = 10_000
