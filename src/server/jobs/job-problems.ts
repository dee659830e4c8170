import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

/** The problem of stopping a job that has ended. */
export function stopTooLate(job: JobRecord): Problem {
  if (job.state === 'failed') {
    return new Problem('not-running', `The job has failed already: ${job.error?.message}`, { job })
  }
  return new Problem('already-published', `Too late to stop: the ${job.kind} was done already.`, { job })
}

/** The problem of pausing, resuming or changing a job in this state. */
export function wrongState(what: 'paused' | 'resumed' | 'limited' | 'changed', job: JobRecord): Problem {
  return new Problem('not-running', `The job is ${job.state}, so it cannot be ${what}.`, { job })
}

/** The problem of pausing or limiting a job whose bytes pass no flow. */
export function notPausable(what: 'paused' | 'limited', job: JobRecord): Problem {
  return new Problem('not-pausable', `A job of the kind ${job.kind} cannot be ${what}; it can be stopped.`, { job })
}
