import { Problem } from '../../protocol/problems.js'
import { formatDuration } from '../../protocol/units.js'
import type { Job } from './job.js'
import type { Jobs } from './jobs.js'

/**
 * Fails jobs with `stalled` that stay paused for longer than that, since they hold a slot. `maxPauseMs` among the problem's
 * details tells it from a sender that went silent, who may try again at once. Returns the function that ends the watch.
 */
export function limitPauses(jobs: Pick<Jobs, 'observe'>, maxPauseMs: number): () => void {
  const timers = new Map<Job, NodeJS.Timeout>()
  const forget = (job: Job) => {
    clearTimeout(timers.get(job))
    timers.delete(job)
  }
  const endObservation = jobs.observe((job, change) => {
    if (change !== 'state') return
    forget(job)
    if (job.state !== 'paused') return
    const words = `The job was paused for longer than ${formatDuration(maxPauseMs)}, so it ended.`
    timers.set(
      job,
      setTimeout(() => job.abort(new Problem('stalled', words, { maxPauseMs })), maxPauseMs),
    )
  })
  return () => {
    endObservation()
    for (const job of timers.keys()) forget(job)
  }
}
