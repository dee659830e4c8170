import type { JobRecord } from '../../protocol/jobs.js'
import { formatBytes, formatTimeLeft } from '../../protocol/units.js'
import { shortJobId } from '../job-id.js'
import { formatWhat } from '../job-table.js'
import { formatTable, type TextColumn } from '../table.js'

export interface BoardView {
  readonly rows: readonly JobRecord[]
  readonly withAccounts: boolean
  /** The status of a broken connection. */
  readonly trouble: string | undefined
  readonly columns: number
  readonly lines: number
}

/** The lines of a live table, as many as fit: a header, the jobs, and a summary. */
export function boardLines({ rows, withAccounts, trouble, columns, lines }: BoardView): string[] {
  const room = Math.max(lines - aroundRows, 1)
  const shown = rows.slice(0, rows.length > room ? room - 1 : room)
  const table = formatTable(columnsFor(columns, withAccounts), shown).split('\n')
  const more = rows.length > shown.length ? [`… and ${rows.length - shown.length} more`] : []
  const empty = rows.length === 0 ? ['There are no jobs.'] : []
  return [...table, ...empty, ...more, '', `${summary(rows)}${trouble ? `  ${trouble}` : ''}`]
}

/** The header, the empty line and the summary. */
const aroundRows = 3
/** Terminals at least this wide have room for the remaining time and the bytes. */
const roomForLeft = 96
const roomForDone = 116
const barLength = 10

/** Titles are as wide as their cells can become, so that columns do not move. */
function columnsFor(width: number, withAccounts: boolean): TextColumn<JobRecord>[] {
  const account: TextColumn<JobRecord> = { title: 'ACCOUNT', cell: (job) => job.account }
  const done: TextColumn<JobRecord> = {
    title: 'DONE'.padStart(10),
    align: 'right',
    cell: (job) => formatBytes(job.bytes),
  }
  const left: TextColumn<JobRecord> = { title: 'LEFT'.padStart(9), align: 'right', cell: formatLeft }
  return [
    { title: 'JOB', cell: (job) => shortJobId(job.id) },
    ...(withAccounts ? [account] : []),
    { title: 'KIND', cell: (job) => job.kind },
    { title: 'STATE'.padEnd(9), cell: (job) => job.state },
    { title: 'PROGRESS'.padEnd(barLength + 7), cell: formatBar },
    ...(width >= roomForDone ? [done] : []),
    { title: 'RATE'.padStart(11), align: 'right', cell: formatRate },
    ...(width >= roomForLeft ? [left] : []),
    { title: 'WHAT', cell: formatWhat },
  ]
}

function formatBar(job: JobRecord): string {
  if (job.percent === null) return job.bytes === 0 ? '' : formatBytes(job.bytes)
  const filled = Math.floor((job.percent / 100) * barLength)
  const bar = `[${'='.repeat(filled)}${'-'.repeat(barLength - filled)}]`
  return `${bar} ${String(Math.floor(job.percent)).padStart(3)}%`
}

function formatRate(job: JobRecord): string {
  return job.state === 'running' && job.rate !== null ? `${formatBytes(job.rate)}/s` : ''
}

function formatLeft(job: JobRecord): string {
  if (job.state !== 'running' || job.totalBytes === null || !job.rate) return ''
  return formatTimeLeft(((job.totalBytes - job.bytes) / job.rate) * 1000)
}

function summary(rows: readonly JobRecord[]): string {
  const unfinished = rows.filter((job) => job.endedAt === null)
  const rate = unfinished.reduce((sum, job) => sum + (job.state === 'running' ? (job.rate ?? 0) : 0), 0)
  const words =
    unfinished.length === 0 ? 'nothing runs' : `${unfinished.length} under way, ${formatBytes(rate)}/s in all`
  return `${words}; q leaves`
}
