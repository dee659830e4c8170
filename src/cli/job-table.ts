import type { JobRecord } from '../protocol/jobs.js'
import { formatBytes } from '../protocol/units.js'
import { formatTime, type TextColumn } from './table.js'

/** The columns of the job list, with the account if jobs of several accounts are shown. */
export function jobColumns(withAccounts: boolean): TextColumn<JobRecord>[] {
  const account: TextColumn<JobRecord> = { title: 'ACCOUNT', cell: (job) => job.account }
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

/** The files or the table of a job, with its outcome unless it succeeded. */
export function formatWhat(job: JobRecord): string {
  const what = job.file || job.table || ''
  const details = [
    ...(job.files ? [formatFiles(job.files)] : []),
    ...(job.state === 'stopped' ? [`stopped by ${job.stoppedBy}`] : []),
    ...(job.error ? [job.error.code] : []),
  ].join(', ')
  if (details === '') return what
  return what === '' ? details : `${what} (${details})`
}

/** For example `1,204 of 2,000 files, 3 failed`. */
export function formatFiles({ done, total, failed }: NonNullable<JobRecord['files']>): string {
  const number = (count: number) => count.toLocaleString('en')
  const of = total === null ? number(done) : `${number(done)} of ${number(total)}`
  return `${of} ${(total ?? done) === 1 ? 'file' : 'files'}${failed === 0 ? '' : `, ${number(failed)} failed`}`
}
