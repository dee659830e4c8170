import type { JobRecord } from '../protocol/jobs.js'
import { formatBytes } from '../protocol/units.js'
import { type Column, formatTime } from './table.js'

/** The columns that show jobs to people; with accounts where there are several. */
export function jobColumns(withAccounts: boolean): Column<JobRecord>[] {
  const account: Column<JobRecord> = { title: 'ACCOUNT', cell: (job) => job.account }
  return [
    { title: 'JOB', cell: (job) => job.id },
    ...(withAccounts ? [account] : []),
    { title: 'KIND', cell: (job) => job.kind },
    { title: 'STATE', cell: (job) => job.state },
    { title: 'DONE', align: 'right', cell: formatDone },
    { title: 'RATE', align: 'right', cell: (job) => (job.rate === null ? '' : `${formatBytes(job.rate)}/s`) },
    { title: 'STARTED', cell: (job) => formatTime(job.startedAt) },
    { title: 'WHAT', cell: formatWhat },
  ]
}

function formatDone(job: JobRecord): string {
  if (job.percent === null) return formatBytes(job.bytes)
  return `${formatBytes(job.bytes)} (${Math.floor(job.percent)}%)`
}

/** What a job works on, with how it ended where that is not well. */
export function formatWhat(job: JobRecord): string {
  const what = job.file ?? job.table ?? ''
  if (job.state === 'stopped') return `${what} (stopped by ${job.stoppedBy})`
  return job.error ? `${what} (${job.error.code})` : what
}
