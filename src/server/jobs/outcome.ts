import { Problem } from '../../protocol/problems.js'
import { type Job, Stopped } from './job.js'

/** Words whatever ended a transfer as the problem that its job, and whoever asked for it, is told of. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof Stopped) return new Problem('job-stopped', error.message, { stoppedBy: error.by })
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Problem('disk-full', "The server's disk is full.", {}, { cause: error })
  }
  return new Problem('internal', 'Something broke in the server. It is in its log.', {}, { cause: error })
}

/**
 * Ends the job by what went wrong, and returns the problem to answer with, which names it, or the job that was in its
 * way. `cleanedUp`: whether nothing is left of it; default true.
 */
export function endByError(job: Job, error: unknown, cleanedUp = true): Problem {
  const { code, message, details, cause } = asProblem(error)
  job.end({ state: 'failed', error: new Problem(code, message, details, { cause }), cleanedUp })
  const record = job.record()
  if (record.state !== 'stopped') return new Problem(code, message, { job: record, ...details }, { cause })
  const { stoppedBy } = record
  return new Problem('job-stopped', `The ${job.kind} was stopped by ${stoppedBy}.`, { stoppedBy, job: record })
}
