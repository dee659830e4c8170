import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

// The errors of requests that belong to a job of many files.

export function noSuchJob(id: string): Problem {
  return new Problem('job-not-found', `There is no job "${id}".`)
}

/** The error for requests to a job that has ended. */
export function jobEnded(job: JobRecord): Problem {
  if (job.state === 'stopped') {
    const { stoppedBy } = job
    return new Problem('job-stopped', `The ${job.kind} was stopped by ${stoppedBy}.`, { stoppedBy, job })
  }
  const why = job.error ? `: ${job.error.message}` : '.'
  return new Problem('not-running', `The job is ${job.state}${why} Open another one.`, { job })
}

export function notReady(job: JobRecord): Problem {
  return new Problem('not-running', `The job is ${job.state}: send its files once it has its slot.`, { job })
}

export function isFinishing(job: JobRecord): Problem {
  return new Problem('not-running', 'The job is being finished: no more files can be part of it.', { job })
}

export function ofOneFile(job: JobRecord): Problem {
  return new Problem('not-joinable', 'The job is not one of many files: open one with POST /jobs.', { job })
}

export function ofAnotherKind(job: JobRecord): Problem {
  return new Problem('not-joinable', `The job is an ${job.kind}: the request cannot be part of it.`, { job })
}

export function tooManyStreams(job: JobRecord, most: number): Problem {
  return new Problem('too-many-requests', `The job has ${most} requests at a time already: wait for one of them.`, {
    job,
    retryAfter: 1,
  })
}

export function folderJobExpired(): Problem {
  return new Problem('job-expired', 'The job has expired: nothing came for too long. What was published stays.')
}

/** The error of a job that publishes together. */
export function filesFailed({ failed, failures }: NonNullable<JobRecord['files']>): Problem {
  const [first] = failures
  const number = failed === 1 ? '1 file' : `${failed} files`
  const words = `Nothing was published, because ${number} failed: ${first?.name}: ${first?.message}`
  return new Problem('files-failed', words, { failures })
}

export function unnamedFiles(): Problem {
  const message = 'This job removes files that it does not know: name the unchanged ones in "files", not their count.'
  return new Problem('invalid-request', message, { field: 'count' })
}
