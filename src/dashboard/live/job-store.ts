import { computed, signal } from '@preact/signals'
import type { JobEvent, JobRecord } from '../../protocol/jobs.js'
import { me } from '../account.js'

/** A job as the page knows it, with the rates of its last minute. */
export interface LiveJob {
  record: JobRecord
  /** Bytes per second by time in seconds, oldest first. */
  rates: { at: number; rate: number }[]
  /** When it ended, in milliseconds; it is shown for a little longer. */
  endedAt: number | null
}

/** What everybody's and what my jobs move each second, for the last minutes. */
export interface TotalRate {
  at: number
  all: number
  mine: number
}

const jobs = new Map<string, LiveJob>()
const endListeners = new Set<(job: JobRecord) => void>()

/** Counts up with each change, once a frame at most. */
export const revision = signal(0)

/** Newest first. */
export const liveJobs = computed<LiveJob[]>(() => {
  revision.value
  return [...jobs.values()].reverse()
})

export const myLiveJobs = computed<LiveJob[]>(() => liveJobs.value.filter(({ record }) => isMine(record)))

export const totalRates: TotalRate[] = []

/** The job, while it runs and for a little longer. */
export function findLive(id: string): LiveJob | undefined {
  return jobs.get(id)
}

/** My own jobs, and those of my links. Others are there only for admins. */
export function isMine({ account }: JobRecord): boolean {
  return account === me.value?.account || (account.startsWith('share:') && me.value?.role !== 'admin')
}

/** Hears of every job that ends, whoever sees the page. Returns the function that ends it. */
export function onJobEnd(listener: (job: JobRecord) => void): () => void {
  endListeners.add(listener)
  return () => endListeners.delete(listener)
}

export function applyEvents(events: JobEvent[]): void {
  for (const { event, job } of events) {
    if (event === 'resync') jobs.clear()
    else if (job) applyJob(job)
  }
  changed()
}

/** Everything there is, from one who knows: nothing else exists. */
export function replaceJobs(records: JobRecord[]): void {
  const known = new Set(records.map(({ id }) => id))
  for (const [id, { endedAt }] of jobs) if (!known.has(id) && endedAt === null) jobs.delete(id)
  for (const record of records) applyJob(record)
  changed()
}

export function unfinishedJobs(): JobRecord[] {
  return [...jobs.values()].filter(({ endedAt }) => endedAt === null).map(({ record }) => record)
}

export function forgetJobs(): void {
  jobs.clear()
  totalRates.length = 0
  changed()
}

function applyJob(record: JobRecord): void {
  const known = jobs.get(record.id)
  if (known?.endedAt) return
  if (!known && record.endedAt !== null) {
    for (const listener of endListeners) listener(record)
    return
  }
  const job = known ?? { record, rates: [], endedAt: null }
  job.record = record
  const at = Date.now() / 1000
  job.rates.push({ at, rate: record.rate ?? 0 })
  if (job.rates.length > ratesKept) job.rates.shift()
  jobs.set(record.id, job)
  if (record.endedAt === null) return
  job.endedAt = Date.now()
  setTimeout(() => {
    jobs.delete(record.id)
    changed()
  }, shownAfterEndMs)
  for (const listener of endListeners) listener(record)
}

let isFrameAsked = false

function changed(): void {
  if (isFrameAsked) return
  isFrameAsked = true
  requestAnimationFrame(() => {
    isFrameAsked = false
    revision.value = revision.peek() + 1
  })
}

/** A second's worth of all rates; called by a clock that runs while somebody is signed in. */
export function noteTotalRate(): void {
  const total = { at: Math.round(Date.now() / 1000), all: 0, mine: 0 }
  for (const { record } of jobs.values()) {
    if (record.state !== 'running') continue
    total.all += record.rate ?? 0
    if (isMine(record)) total.mine += record.rate ?? 0
  }
  totalRates.push(total)
  if (totalRates.length > totalsKept) totalRates.shift()
  changed()
}

/** A minute at four a second. */
const ratesKept = 240
/** Three minutes at one a second. */
const totalsKept = 180
const shownAfterEndMs = 4000
