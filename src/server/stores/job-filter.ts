import type { JobKind, JobRecord, JobState } from '../../protocol/jobs.js'

export interface JobFilter {
  /** null for all accounts. */
  accountId: number | null
  kind?: JobKind
  states?: JobState[]
  /** Jobs that ended then or later, in milliseconds since 1970, and those that have not ended. */
  fromMs?: number
  /** Jobs that ended before. */
  toMs?: number
  /** Jobs that failed with this code. */
  failure?: string
  /** Only jobs with a lower sequence number. */
  before?: number
  limit: number
}

/** What a filter looks at. */
export interface JobFacts extends Pick<JobRecord, 'kind' | 'state'> {
  /** Milliseconds since 1970; null before the end. */
  endedMs: number | null
  /** The code of its failure. */
  failure: string | null
}

export function factsOf({ kind, state, endedAt, error }: JobRecord): JobFacts {
  return { kind, state, endedMs: endedAt === null ? null : Date.parse(endedAt), failure: error?.code ?? null }
}

/** Whether a job fits the filter, `before` and `limit` aside. */
export function matchesFilter(job: JobFacts, accountId: number, filter: Omit<JobFilter, 'limit'>): boolean {
  if (filter.accountId !== null && filter.accountId !== accountId) return false
  if (filter.kind && filter.kind !== job.kind) return false
  if (filter.fromMs !== undefined && job.endedMs !== null && job.endedMs < filter.fromMs) return false
  if (filter.toMs !== undefined && (job.endedMs === null || job.endedMs >= filter.toMs)) return false
  if (filter.failure !== undefined && (job.state !== 'failed' || job.failure !== filter.failure)) return false
  return !filter.states || filter.states.includes(job.state)
}
