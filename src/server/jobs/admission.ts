import type { Job } from './job.js'

/** A new job as `Jobs` passes it to `runJob`, with the operations that only `runJob` may use. */
export interface Admission {
  job: Job
  /** Rejects with the reason why it gets no slot. null if it has one already, or needs none yet. */
  queued: Promise<void> | null
  /** It stays waiting with its slot, until its work calls `start`. */
  startsLater: boolean
  start(): void
  /** Gives the slot to the next job in the queue. Call it after the end of the job. */
  release(): void
  /** Resolves when the end of the job is in the history. */
  recorded(): Promise<void>
  onCleanUpError(error: unknown): void
}
