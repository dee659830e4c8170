import type { TakeoverMutex } from '../concurrency/takeover-mutex.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { JobRun } from '../jobs/run-job.js'
import type { ResumableBytes } from './resumable-bytes.js'
import type { UploadLifetime } from './upload-lifetime.js'
import type { UploadSlot } from './upload-slot.js'

/** The parts of a resumable upload. */
export interface UploadParts {
  run: JobRun
  requests: TakeoverMutex
  slot: UploadSlot
  bytes: ResumableBytes
  lifetime: UploadLifetime
}

/** The client of an upload has disconnected, or was never connected. */
export function interrupt(job: Job): void {
  if (job.state === 'running' || job.state === 'paused') job.interrupt()
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
