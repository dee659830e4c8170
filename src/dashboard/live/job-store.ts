import { computed, signal } from '@preact/signals'
import type { JobEvent, JobRecord } from '../../protocol/jobs.js'
import { seesEveryJob } from '../access.js'
import { me } from '../account.js'

/** A job with its rates of the last minute. */
export interface LiveJob {
  record: JobRecord
  /** Bytes per second by time in seconds, oldest first. */
  rates: { at: number; rate: number }[]
  /** When the server last told of it, in milliseconds. */
  heardAt: number
  /** When it ended, in milliseconds; it stays visible for a moment. */
  endedAt: number | null
}

/** The total rates of all jobs and of the account's jobs, each second of the last minutes. */
export interface TotalRate {
  at: number
  all: number
  mine: number
}

const jobs = new Map<string, LiveJob>()
const endListeners = new Set<(job: JobRecord) => void>()

/** Incremented with each change: at most once per frame, and for progress alone four times a second. */
export const revision = signal(0)

/** Newest first, without checks. */
export const liveJobs = computed<LiveJob[]>(() => {
  revision.value
  return [...jobs.values()].filter(({ record }) => !isCheck(record)).reverse()
})

export const myLiveJobs = computed<LiveJob[]>(() => liveJobs.value.filter(({ record }) => isMine(record)))

export const totalRates: TotalRate[] = []

/** The job, while it runs and for a moment after. */
export function findLive(id: string): LiveJob | undefined {
  return jobs.get(id)
}

/** Whether the job reads a file as an import would, and publishes nothing: what the page of an import does by itself is no transfer. */
export function isCheck({ kind, table }: JobRecord): boolean {
  return kind === 'import' && table === null
}

/** The account's jobs, and those of its links. Admins may see others as well. */
export function isMine({ account }: JobRecord): boolean {
  return account === me.value?.account || (isOfLink(account) && !seesEveryJob(me.value?.role))
}

function isOfLink(account: string): boolean {
  return account.startsWith('share:') || account.startsWith('request:')
}

/** Registers a listener for the end of every job. Returns a function that removes it. */
export function onJobEnd(listener: (job: JobRecord) => void): () => void {
  endListeners.add(listener)
  return () => endListeners.delete(listener)
}

export function applyEvents(events: JobEvent[]): void {
  let isProgress = true
  for (const { event, job } of events) {
    if (event === 'resync') jobs.clear()
    isProgress = job !== null && event !== 'resync' && applyJob(job) && isProgress
  }
  changed(isProgress)
}

/** Replaces all jobs by a complete list. */
export function replaceJobs(records: JobRecord[]): void {
  const known = new Set(records.map(({ id }) => id))
  for (const [id, { endedAt }] of jobs) if (!known.has(id) && endedAt === null) jobs.delete(id)
  for (const record of records) applyJob(record)
  changed()
}

/** Whether bytes are moving: the server then sends several events a second. */
export function expectsEvents(): boolean {
  return [...jobs.values()].some(({ record, endedAt }) => endedAt === null && hasRate(record))
}

/** Resets rates without recent news of their job: the connection may be dead, or the job may stand still. */
export function checkRates(): void {
  const now = Date.now()
  for (const job of jobs.values()) {
    if (job.endedAt !== null || !hasRate(job.record) || now - job.heardAt < rateIsTrueMs) continue
    job.record = { ...job.record, rate: null }
    changed()
  }
}

function hasRate({ state, rate }: JobRecord): boolean {
  return state === 'running' && rate !== null && rate > 0
}

export function unfinishedJobs(): JobRecord[] {
  return [...jobs.values()].filter(({ endedAt }) => endedAt === null).map(({ record }) => record)
}

export function forgetJobs(): void {
  jobs.clear()
  totalRates.length = 0
  changed()
}

/** Returns whether it has only moved on. */
function applyJob(record: JobRecord): boolean {
  const known = jobs.get(record.id)
  if (known?.endedAt) return true
  if (!known && record.endedAt !== null) {
    for (const listener of endListeners) listener(record)
    return false
  }
  const { state, rateLimit } = known?.record ?? {}
  const heardAt = Date.now()
  const job = known ?? { record, rates: [], heardAt, endedAt: null }
  job.record = record
  job.heardAt = heardAt
  const at = heardAt / 1000
  job.rates.push({ at, rate: record.rate ?? 0 })
  if (job.rates.length > ratesKept) job.rates.shift()
  jobs.set(record.id, job)
  if (record.endedAt === null) return state === record.state && rateLimit === record.rateLimit
  job.endedAt = Date.now()
  setTimeout(() => {
    jobs.delete(record.id)
    changed()
  }, shownAfterEndMs)
  for (const listener of endListeners) listener(record)
  return false
}

let isFrameAsked = false
let progressTimer: ReturnType<typeof setTimeout> | undefined

/** With the next frame; mere progress of jobs, of which there are many, is shown four times a second. */
function changed(isProgress = false): void {
  if (isProgress) {
    progressTimer ??= setTimeout(() => changed(), progressMs)
    return
  }
  clearTimeout(progressTimer)
  progressTimer = undefined
  if (isFrameAsked) return
  isFrameAsked = true
  requestAnimationFrame(() => {
    isFrameAsked = false
    revision.value = revision.peek() + 1
  })
}

/** Records the total rates of a second; called by a timer while a user is signed in. */
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

/** A minute at four per second. */
const ratesKept = 240
/** Three minutes at one per second. */
const totalsKept = 180
const progressMs = 250
const shownAfterEndMs = 4000
const rateIsTrueMs = 3500
