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

/** Ends the job by what went wrong, and returns the problem to answer with. Nothing may be left to clean up. */
export function endByError(job: Job, error: unknown): Problem {
  const problem = asProblem(error)
  job.end({ state: 'failed', error: problem })
  if (job.state !== 'stopped') return problem
  const { stoppedBy } = job.record()
  return new Problem('job-stopped', `The ${job.kind} was stopped by ${stoppedBy}.`, { stoppedBy, job: job.record() })
}
