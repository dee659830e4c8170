// Loaded into the server by --import: on SIGUSR2 it writes the event loop's delay (p99, ms) since the last time to BENCH_LOOP.
import { renameSync, writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  process.on('SIGUSR2', () => {
    writeFileSync(`${process.env.BENCH_LOOP}.new`, String(delay.percentile(99) / 1e6))
    renameSync(`${process.env.BENCH_LOOP}.new`, process.env.BENCH_LOOP)
    delay.reset()
  })
}
