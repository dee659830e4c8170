import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { collectDefaultMetrics, Registry } from 'prom-client'

/** What a process has once, however many servers run in it. */
export interface ProcessServices {
  /** Figures of the process. */
  metrics: Registry
  /** Collects the garbage that is young. */
  collectYoung(): void
}

/**
 * To be called as the first thing of a process that serves: V8 expects its flags before anything else runs, and what watches
 * the process for its figures cannot be ended.
 */
export function openProcessServices(): ProcessServices {
  const collectYoung = openYoungCollector()
  const metrics = new Registry()
  collectDefaultMetrics({ register: metrics })
  return { metrics, collectYoung }
}

/** V8 frees the memory of buffers in the same step, rather than in a thread that may be late. */
function openYoungCollector(): () => void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  setFlagsFromString('--expose-gc')
  const collect: (options: { type: 'minor' }) => void = runInNewContext('gc')
  return () => collect({ type: 'minor' })
}
