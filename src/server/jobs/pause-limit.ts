import { Problem } from '../../protocol/problems.js'
import { formatDuration } from '../../protocol/units.js'
import type { Clock } from '../clock.js'
import type { Job } from './job.js'
import type { Jobs } from './jobs.js'

/**
 * Fails jobs with `stalled` that stay paused for longer than `maxPauseMs`, because they hold a slot. The problem's
 * detail `maxPauseMs` distinguishes it from a stalled client, which may retry at once. Returns a function that ends the
 * watch.
 */
export function limitPauses(jobs: Pick<Jobs, 'observe'>, maxPauseMs: number, clock: Clock): () => void {
  const timers = new Map<Job, () => void>()
  const forget = (job: Job) => {
    timers.get(job)?.()
    timers.delete(job)
  }
  const endObservation = jobs.observe((job, change) => {
    if (change !== 'state') return
    forget(job)
    if (job.state !== 'paused') return
    const words = `The job was paused for longer than ${formatDuration(maxPauseMs)}, so it ended.`
    timers.set(
      job,
      clock.after(maxPauseMs, () => job.abort(new Problem('stalled', words, { maxPauseMs }))),
    )
  })
  return () => {
    endObservation()
    for (const job of timers.keys()) forget(job)
  }
}
