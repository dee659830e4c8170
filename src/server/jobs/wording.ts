import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

/** Why a job that has ended cannot be stopped any more. */
export function tooLate(job: JobRecord): Problem {
  if (job.state === 'failed') {
    return new Problem('not-running', `The job has failed already: ${job.error?.message}`, { job })
  }
  return new Problem('already-published', `Too late to stop: the ${job.kind} was done already.`, { job })
}

/** Why a job in this state cannot be paused, resumed or limited. */
export function cannotBe(what: 'paused' | 'resumed' | 'limited', job: JobRecord): Problem {
  return new Problem('not-running', `The job is ${job.state}, so it cannot be ${what}.`, { job })
}

/** What a stop leaves, by kind: for the receipt's message. */
export const leftBehind: Record<JobKind, string> = {
  upload: 'what had arrived is gone, nothing was published.',
  export: 'the connection was cut.',
  import: 'no row was published.',
  query: 'its process has ended.',
}
