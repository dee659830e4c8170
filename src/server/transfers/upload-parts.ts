import type { TakeoverMutex } from '../concurrency/takeover-mutex.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { ResumableLifetime } from '../jobs/resumable-lifetime.js'
import type { ResumableSlot } from '../jobs/resumable-slot.js'
import type { JobRun } from '../jobs/run-job.js'
import type { ResumableBytes } from './resumable-bytes.js'

/** The parts of a resumable upload. */
export interface UploadParts {
  run: JobRun
  requests: TakeoverMutex
  slot: ResumableSlot
  bytes: ResumableBytes
  lifetime: ResumableLifetime
}

/** Fails the job if the work fails: its bytes cannot be trusted. */
export async function orAbort(job: Job, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    job.abort(asProblem(error))
    throw error
  }
}
