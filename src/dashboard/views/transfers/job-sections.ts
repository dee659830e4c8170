import type { JobRecord } from '../../../protocol/jobs.js'
import { say } from '../../words/say.js'

/** A row of the list of transfers: a head with a number of jobs, or a job. */
export type ListedRow = SectionRow | { job: JobRecord; key: string }

export interface SectionRow {
  head: string
  jobs: number
  key: string
  /** Whether its jobs are those that run. */
  isRunning: boolean
}

export interface ListedJobs {
  /** Those that run, and those that have just ended, newest first. */
  running: readonly JobRecord[]
  /** Those loaded so far. */
  ended: readonly JobRecord[]
}

/** Running, today, earlier. */
export function rowsByTime({ running, ended }: ListedJobs, now: Date): ListedRow[] {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).toISOString()
  const isToday = ({ endedAt }: JobRecord) => (endedAt ?? '') >= midnight
  const sorted = onlyEnded(running, ended)
  const earlier = sorted.filter((job) => !isToday(job))
  return [
    ...section(say('transfers.running'), running, true),
    ...section(say('transfers.today'), sorted.filter(isToday)),
    ...section(say('transfers.earlier'), earlier),
  ]
}

/** A section for each account: those with running jobs first, then by name. */
export function rowsByAccount({ running, ended }: ListedJobs): ListedRow[] {
  const ofAccounts = new Map<string, JobRecord[]>()
  for (const job of [...running, ...onlyEnded(running, ended)]) {
    const jobs = ofAccounts.get(job.account)
    if (jobs) jobs.push(job)
    else ofAccounts.set(job.account, [job])
  }
  const runs = (jobs: JobRecord[]) => Number(jobs.some(({ endedAt }) => endedAt === null))
  return [...ofAccounts]
    .sort(([a, jobsA], [b, jobsB]) => runs(jobsB) - runs(jobsA) || a.localeCompare(b))
    .flatMap(([account, jobs]) => section(account, jobs))
}

/** The last end first; without those that are still among the running ones. */
function onlyEnded(running: readonly JobRecord[], ended: readonly JobRecord[]): JobRecord[] {
  const known = new Set(running.map(({ id }) => id))
  return ended.filter(({ id }) => !known.has(id)).sort((a, b) => (b.endedAt ?? '').localeCompare(a.endedAt ?? ''))
}

function section(head: string, jobs: readonly JobRecord[], isRunning = false): ListedRow[] {
  if (jobs.length === 0) return []
  return [{ head, jobs: jobs.length, key: `head ${head}`, isRunning }, ...jobs.map((job) => ({ job, key: job.id }))]
}
