import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

/** The problem of a new job with the id of an earlier one. */
export function jobIdUsed(id: string): Problem {
  return new Problem('job-id-used', `The job id ${id} was used before: choose another one.`, { field: 'Filejobs-Job' })
}

/** The problem of a job that gets no slot. `blocking`: the newest job that holds one. */
export function jobRunning(kind: JobKind, blocking: JobRecord | undefined, because?: string): Problem {
  const what = blocking?.file ? ` of ${blocking.file}` : ''
  const reason = because ? `; ${because}` : ''
  return new Problem(
    'job-running',
    `Another ${kind}${what} is running${reason}. Wait for it, or stop it first.`,
    blocking ? { job: blocking, stop: `/jobs/${blocking.id}/stop` } : {},
  )
}
