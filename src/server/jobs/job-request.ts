import type { Identity } from '../auth/identity.js'
import type { QueueWait } from '../stores/slots.js'

/** The options of every request that starts or continues a job. */
export interface JobRequest {
  identity: Identity
  /** Set by the client; null for a random one. */
  jobId: string | null
  /** How long it may wait for a slot. */
  waitMs: number
  /** Aborted when the client's connection is closed. */
  left: AbortSignal
  /**
   * Also aborted when the client has closed its sending side: a disconnect while the request waits or is paused.
   * Default: `left`.
   */
  hungUp?: AbortSignal
}

/** A request waits for a slot until its client disconnects or its session is revoked. */
export function queueWaitOf({ waitMs, left, hungUp = left, identity }: Omit<JobRequest, 'jobId'>): QueueWait {
  return { waitMs, signal: waitMs === 0 ? left : AbortSignal.any([left, hungUp, identity.revoked]) }
}
