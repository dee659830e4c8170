import { effect, signal } from '@preact/signals'
import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { callApi } from '../api.js'
import { findLive, myLiveJobs, onJobEnd } from '../live/job-store.js'
import { healed } from '../live/shared-stream.js'
import { isSameFile } from './same-file.js'

/** A file, or several as one archive. */
export interface Download {
  /** That of its job: of a file or, with a slash at the end, of a folder; the account's own, or `ops:OPS/NAME`. */
  name: string
  /** The same for two downloads of the same. */
  id: string
  /** What the browser calls it. */
  saveAs: string
  /** Where the browser gets it; it begins right after. Rejects if the server refuses it. */
  address(): string | Promise<string>
}

/** A download that this page has passed to the browser. */
export interface BegunDownload {
  readonly key: number
  readonly download: Download
  /** null until its job is known. */
  readonly jobId: string | null
  /** How its job has ended; null before. */
  readonly ended: JobRecord | null
}

/** In the order in which they began. */
export const begunDownloads = signal<readonly BegunDownload[]>([])

let nextKey = 0

/** Adds a download; it is taken off the list if no job of it begins within `withinMs`, because the user may have cancelled it. */
export function noteBegun(download: Download, withinMs: number): void {
  const isRunning = begunDownloads.peek().some((one) => one.ended === null && one.download.id === download.id)
  if (isRunning) return
  const key = nextKey++
  begunDownloads.value = [...begunDownloads.peek(), { key, download, jobId: null, ended: null }]
  setTimeout(() => {
    begunDownloads.value = begunDownloads.peek().filter((one) => one.key !== key || isKnown(one))
  }, withinMs)
}

/** Removes one that could not begin. */
export function forgetBegun({ id }: Download): void {
  begunDownloads.value = begunDownloads.peek().filter((one) => isKnown(one) || one.download.id !== id)
}

export function forgetDownload(forgotten: BegunDownload): void {
  begunDownloads.value = begunDownloads.peek().filter(({ key }) => key !== forgotten.key)
}

/** Removes those that ended, except those that failed. */
export function clearEndedDownloads(): void {
  begunDownloads.value = begunDownloads.peek().filter(({ ended }) => ended === null || ended.state === 'failed')
}

function isKnown({ jobId, ended }: BegunDownload): boolean {
  return jobId !== null || ended !== null
}

function change(key: number, changes: Partial<BegunDownload>): void {
  begunDownloads.value = begunDownloads.peek().map((one) => (one.key === key ? { ...one, ...changes } : one))
}

/** Whether the job can be that of the download: another one of the same file has a job of its own. */
function isJobOf({ download, jobId, ended }: BegunDownload, job: JobRecord): boolean {
  if (ended !== null) return false
  if (jobId !== null) return jobId === job.id
  return job.kind === 'export' && job.account === me.peek()?.account && isSameFile(job.file ?? '', download.name)
}

effect(() => {
  const live = myLiveJobs.value
  for (const begun of begunDownloads.value) {
    if (isKnown(begun)) continue
    const job = live.find(({ record, endedAt }) => endedAt === null && isJobOf(begun, record))
    if (job) change(begun.key, { jobId: job.record.id })
  }
})

onJobEnd((job) => {
  const begun = begunDownloads.peek().find((one) => isJobOf(one, job))
  if (begun) change(begun.key, { jobId: job.id, ended: job })
})

// The end of one may have been missed.
healed.subscribe(() => {
  for (const { key, jobId, ended } of begunDownloads.peek()) {
    if (jobId === null || ended !== null || findLive(jobId)) continue
    callApi<JobRecord>('GET', jobPath(jobId))
      .then((job) => job.endedAt !== null && change(key, { ended: job }))
      .catch(() => {})
  }
})

me.subscribe((account) => {
  if (!account) begunDownloads.value = []
})
