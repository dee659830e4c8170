import { type Clock, systemClock } from '../../dist/server/clock.js'

/** A clock that runs `factor` times as fast as the system's, for a server whose long waits a test observes over HTTP. */
export function fastClock(factor: number): Clock {
  const startedAt = Date.now()
  const elapsed = () => performance.now() * factor
  const elapsedAtStart = elapsed()
  return {
    now: () => startedAt + elapsed() - elapsedAtStart,
    monotonicMs: elapsed,
    after: (delayMs, callback) => systemClock.after(delayMs / factor, callback),
    every: (intervalMs, callback) => systemClock.every(intervalMs / factor, callback),
  }
}
