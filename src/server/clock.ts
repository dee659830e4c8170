/** The server's time, passed as an argument, so that tests of pauses, limits and expiry need not wait. */
export interface Clock {
  /** Milliseconds since 1970 by the system's clock, which may jump in either direction. */
  now(): number
  /** Milliseconds since an arbitrary point; never goes back. */
  monotonicMs(): number
  /** Calls back once after `delayMs`, never before that by `monotonicMs`. Returns the function that cancels it. The timer does not keep the process alive. */
  after(delayMs: number, callback: () => void): () => void
  /** Calls back every `intervalMs`. Returns the function that cancels it. The timer does not keep the process alive. */
  every(intervalMs: number, callback: () => void): () => void
}

/** The clock and the timers of Node. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, callback) {
    const dueAt = performance.now() + delayMs
    let timer: NodeJS.Timeout
    // Node counts whole milliseconds, and fires up to one of them early.
    const fire = () => {
      const leftMs = dueAt - performance.now()
      if (leftMs > 0) timer = setTimeout(fire, Math.min(leftMs, longestDelayMs)).unref()
      else callback()
    }
    timer = setTimeout(fire, Math.min(delayMs, longestDelayMs)).unref()
    return () => clearTimeout(timer)
  },
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs).unref()
    return () => clearInterval(timer)
  },
}

/** Node fires a longer timer at once. */
const longestDelayMs = 2 ** 31 - 1
