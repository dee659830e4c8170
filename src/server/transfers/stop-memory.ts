import { Problem } from '../../protocol/problems.js'
import { type Job, Stopped } from '../jobs/job.js'

/**
 * For a minute after a stop, whoever would go on by range is told so. Otherwise wget takes the cut for a hiccup, fetches
 * the rest, and reports success. A new export of the whole file ends that: what goes on by range then may go on with it.
 */
export class StopMemory {
  readonly #stops = new Map<string, { job: Job; until: number }>()

  remember(key: string, job: Job): void {
    const now = performance.now()
    for (const [known, { until }] of this.#stops) if (until < now) this.#stops.delete(known)
    if (job.signal.reason instanceof Stopped) this.#stops.set(key, { job, until: now + rememberedMs })
  }

  forget(key: string): void {
    this.#stops.delete(key)
  }

  /** Throws `job-stopped` for a range that starts above 0. From byte 0 on it is a new export. */
  check(key: string, start: number): void {
    const stop = this.#stops.get(key)
    if (!stop || start === 0 || stop.until < performance.now()) return
    const { stoppedBy } = stop.job.record()
    const message = `The export of ${stop.job.file} was stopped by ${stoppedBy}; a new one begins at byte 0.`
    throw new Problem('job-stopped', message, { stoppedBy, job: stop.job.record() })
  }
}

const rememberedMs = 60_000
