import type { JobRecord } from '../../protocol/jobs.js'
import type { Problem } from '../../protocol/problems.js'

/** The outcome of a job's work. */
export type Outcome =
  | { state: 'done' }
  /** `cleanedUp`: false where something is left that could not be removed; default true. */
  | { state: 'failed'; error: Problem; cleanedUp?: boolean }

/** When and how a job ended. */
export interface JobEnd {
  at: Date
  /** By the monotonic clock. */
  atMs: number
  state: 'done' | 'stopped' | 'failed'
  /** Why it failed. */
  error: Problem | null
  cleanedUp: boolean
}

/** `isStopped`: a stop came in time, which wins over any failure. */
export function endOf(outcome: Outcome, isStopped: boolean, time: Pick<JobEnd, 'at' | 'atMs'>): JobEnd {
  if (outcome.state === 'done') return { ...time, state: 'done', error: null, cleanedUp: true }
  const { error, cleanedUp = true } = outcome
  if (isStopped) return { ...time, state: 'stopped', error: null, cleanedUp }
  return { ...time, state: 'failed', error, cleanedUp }
}

/** As a record states why a job failed. */
export function errorOf({ details, code, message, status }: Problem): JobRecord['error'] {
  return { ...details, code, message, status }
}
