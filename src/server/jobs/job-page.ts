import type { JobRecord } from '../../protocol/jobs.js'
import type { JobHistory } from '../stores/history.js'
import { factsOf, type JobFilter, matchesFilter } from '../stores/job-filter.js'
import type { LatestJobs } from '../stores/remote-jobs.js'
import { isEndState } from './job-states.js'

export interface JobPage {
  jobs: JobRecord[]
  /** The sequence number to ask for the next page with; null at the end. */
  next: number | null
}

/** A page of all jobs, the unfinished ones and those of the history, newest first. */
export async function pageOfJobs(
  unfinished: { seq: number; accountId: number; record: JobRecord }[],
  history: Pick<JobHistory, 'list'>,
  filter: JobFilter,
): Promise<JobPage> {
  const { before = Number.POSITIVE_INFINITY, limit } = filter
  const live = unfinished
    .filter(({ seq, accountId, record }) => seq < before && matchesFilter(factsOf(record), accountId, filter))
    .map(({ seq, record }) => ({ seq, job: record }))
  const states = filter.states?.filter(isEndState)
  // An account may have very many jobs of other states, which the history would look through.
  const ended =
    states?.length === 0 ? [] : await history.list({ ...filter, ...(states && { states }), limit: limit + 1 })
  const all = new Map([...live, ...ended].map((entry) => [entry.seq, entry]))
  const sorted = [...all.values()].sort((a, b) => b.seq - a.seq)
  const page = sorted.slice(0, limit)
  return { jobs: page.map((entry) => entry.job), next: sorted.length > limit ? (page.at(-1)?.seq ?? null) : null }
}

/** Whether unfinished jobs may fit. */
export function mayBeUnfinished({ states, toMs, failure }: JobFilter): boolean {
  return toMs === undefined && failure === undefined && !states?.every(isEndState)
}

/** How many unfinished jobs a page needs; undefined if the filter leaves some out, so that it may need any number. */
export function latestOf({ states, kind, before, limit }: JobFilter): LatestJobs | undefined {
  return states === undefined && kind === undefined ? { limit: limit + 1, before } : undefined
}
