import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'

// The errors of requests to a resumable upload, and of its end.

/** After these no client can continue: there is no space, or the data on disk cannot be trusted. */
export const endsUpload: readonly string[] = ['quota-exceeded', 'file-too-large', 'disk-full', 'internal']
/** After these the client is still connected and can retry. */
export const senderStays: readonly string[] = ['body-too-large', 'checksum-mismatch', 'invalid-request']

export function evicted(): Problem {
  return new Problem('upload-gone', 'Nothing was sent for the upload, and another one needed its room. Start it again.')
}

export function partRemoved(): Problem {
  return new Problem('upload-gone', 'The upload was removed by a request of its client.')
}

/** The error of a request that names another job of many files than the upload's. */
export function notPartOf(partOf: string): Problem {
  return new Problem('not-joinable', `The upload is not part of the job ${partOf}: its creation decided that.`)
}

export function takenOver(): Problem {
  return new Problem('taken-over', 'Another request for the same upload came, and continues it.')
}

/** Ends a request that changes nothing, which the client should repeat. */
export function movedAway(): Problem {
  return new Problem('upload-locked', 'Several servers are asked to continue the upload at the same time: try again.')
}

export function offsetMismatch(offset: number, given: number): Problem {
  const message = `The upload is at ${offset}, not at ${given}: ask for the offset with HEAD and continue from there.`
  return new Problem('offset-mismatch', message, { offset })
}

export function uploadNotFound(id: string): Problem {
  return new Problem('upload-not-found', `There is no upload "${id}".`)
}

/** The error for requests to an upload that has ended. */
export function uploadGone(job: JobRecord): Problem {
  if (job.state === 'stopped') {
    return new Problem('job-stopped', `The upload was stopped by ${job.stoppedBy}.`, { stoppedBy: job.stoppedBy, job })
  }
  const why = job.error ? `: ${job.error.message}` : '.'
  return new Problem('upload-gone', `The upload has ended${why}`, { job })
}

export function tooManyUploads(most: number): Problem {
  const words = `Your account has ${most} unfinished uploads on /tus: finish or stop some of them first.`
  return new Problem('busy', words, { retryAfter: 10 })
}
