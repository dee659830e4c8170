import { randomUUID } from 'node:crypto'
import type { OwnJob } from '../transfers/own-job.js'

/** One stream of a job of many files: the transfer of one file, which is aborted by `signal`. */
export function streamOf(job: OwnJob, signal: AbortSignal): OwnJob {
  return {
    id: randomUUID(),
    partOf: job.id,
    begun: false,
    resumable: false,
    leavesPartial: false,
    signal,
    checkpoint: () => job.checkpoint(),
    get stopped() {
      return job.stopped
    },
    set stopped(_) {},
  }
}
