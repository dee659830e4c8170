import type { JobKind, JobRecord, JobState } from '../../protocol/jobs.js'

export interface JobFilter {
  /** null for all accounts. */
  accountId: number | null
  kind?: JobKind
  states?: JobState[]
  /** Only jobs with a lower sequence number. */
  before?: number
  limit: number
}

/** Whether a job fits the filter, `before` and `limit` aside. */
export function matchesFilter(
  job: Pick<JobRecord, 'kind' | 'state'>,
  accountId: number,
  filter: Omit<JobFilter, 'limit'>,
): boolean {
  if (filter.accountId !== null && filter.accountId !== accountId) return false
  if (filter.kind && filter.kind !== job.kind) return false
  return !filter.states || filter.states.includes(job.state)
}
