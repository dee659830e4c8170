import type { JobKind, JobRecord, JobState } from '../../protocol/jobs.js'

export interface JobFilter {
  /** null: everybody's. */
  accountId: number | null
  kind?: JobKind
  states?: JobState[]
  /** Only jobs claimed before this one, by sequence number. */
  before?: number
  limit: number
}

/** True where the job is one that the filter lets through; `before` and `limit` aside. */
export function matches(job: Pick<JobRecord, 'kind' | 'state'>, accountId: number, filter: JobFilter): boolean {
  if (filter.accountId !== null && filter.accountId !== accountId) return false
  if (filter.kind && filter.kind !== job.kind) return false
  return !filter.states || filter.states.includes(job.state)
}
