import { Problem } from '../../protocol/problems.js'
import { shortageOf } from '../shortage.js'
import { diskFull, isDiskFull } from '../stores/disk-full.js'
import { storageFaultOf } from '../stores/storage-fault.js'
import type { Job } from './job.js'
import { Stopped } from './stop.js'

/** The problem with which a job, and the request that waits for it, end. */
export function asProblem(error: unknown): Problem {
  const shortage = shortageOf(error)
  if (shortage) return shortage
  if (error instanceof Problem) return error
  if (error instanceof Stopped) return new Problem('job-stopped', error.message, { stoppedBy: error.by })
  if (isDiskFull(error)) return diskFull(error)
  const fault = storageFaultOf(error)
  if (fault) return fault
  return new Problem('internal', 'Something broke in the server. It is in its log.', {}, { cause: error })
}

/** The problem to respond with if a job ended with an error: it names the job, or the one that blocked it. */
export function problemOf(job: Job, error: unknown): Problem {
  const record = job.record()
  if (record.state !== 'stopped') {
    const { code, message, details, cause } = asProblem(error)
    return new Problem(code, message, { job: record, ...details }, { cause })
  }
  const { stoppedBy } = record
  return new Problem('job-stopped', `The ${job.kind} was stopped by ${stoppedBy}.`, { stoppedBy, job: record })
}
