import type { JobRecord } from '../../protocol/jobs.js'
import type { JobHistory } from '../stores/history.js'
import { type JobFilter, matchesFilter } from '../stores/job-filter.js'
import type { Job } from './job.js'

export interface JobPage {
  jobs: JobRecord[]
  /** The sequence number to ask for the next page with; null at the end. */
  next: number | null
}

/** A page of all jobs, the unfinished ones and those of the history, newest first. */
export async function pageOfJobs(
  unfinished: { job: Job; seq: number }[],
  history: Pick<JobHistory, 'list'>,
  filter: JobFilter,
): Promise<JobPage> {
  const { before = Number.POSITIVE_INFINITY, limit } = filter
  const live = unfinished
    .filter(({ job, seq }) => seq < before && matchesFilter(job.record(), job.accountId, filter))
    .map(({ job, seq }) => ({ seq, job: job.record() }))
  const ended = await history.list({ ...filter, limit: limit + 1 })
  const all = [...live, ...ended].sort((a, b) => b.seq - a.seq)
  const page = all.slice(0, limit)
  return { jobs: page.map((entry) => entry.job), next: all.length > limit ? (page.at(-1)?.seq ?? null) : null }
}
