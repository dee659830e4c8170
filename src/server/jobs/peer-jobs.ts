import type { JobRecord } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import { Coalescer } from '../concurrency/coalescer.js'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import type { Bus, BusMessage, JobProgress } from '../stores/bus.js'
import type { JobHistory } from '../stores/history.js'
import type { RemoteJob, RemoteJobs } from '../stores/remote-jobs.js'
import type { JobSource, WatchedJob } from './feed.js'
import type { JobChange } from './job.js'
import { withBytes } from './percent.js'

export interface PeerJobsOptions {
  bus: Bus
  /** As the rows have them. */
  remote: RemoteJobs
  history: Pick<JobHistory, 'find'>
  clock: Clock
  /** Whether this server runs the job: what others told about it before is outdated. */
  isOwn(id: string): boolean
  /** Called when changes may have been missed, and all is known again. */
  onGap(): void
  onError(error: unknown): void
}

/**
 * The unfinished jobs of the other servers, as far as they have told: faster than the rows, which have no progress. It is read
 * from the rows at the start, and when messages may have been lost.
 */
export class PeerJobs implements JobSource {
  readonly #options: PeerJobsOptions
  readonly #jobs = new Map<string, PeerJob>()
  readonly #observers = new Set<(job: WatchedJob, change: JobChange) => void>()
  /** The jobs whose records are read from the history, each with the message that was the reason. */
  readonly #reading = new Map<string, BusMessage>()
  readonly #loading = new Coalescer(() => this.#load())
  /** The jobs that messages told of during a load, whose rows may be older. */
  #heard: Set<string> | null = null
  /** Until when the other servers tell progress, by account; null for all. */
  readonly #listeningUntil = new Map<number | null, number>()
  readonly #refreshes = new Set<{ ids: Set<string>; done: Deferred<void> }>()

  constructor(options: PeerJobsOptions) {
    this.#options = options
    options.bus.onMessage((message) => this.receive(message))
    options.bus.onGap(() => this.#recover())
  }

  /** Reads the rows. */
  load(): Promise<void> {
    return this.#loading.run()
  }

  observe(observer: (job: WatchedJob, change: JobChange) => void): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  unfinished(): WatchedJob[] {
    return [...this.#jobs.values()].filter(({ id }) => !this.#options.isOwn(id))
  }

  /** The jobs of the rows, with what was told about them. */
  get remote(): RemoteJobs {
    const { remote } = this.#options
    return {
      find: async (id) => {
        const found = await remote.find(id)
        return found && this.#withProgress(found)
      },
      confirmOwn: () => remote.confirmOwn(),
      unfinished: async (accountId, latest) =>
        (await remote.unfinished(accountId, latest)).map((job) => this.#withProgress(job)),
      refresh: (accountId) => this.#refresh(accountId),
    }
  }

  async #refresh(accountId: number | null): Promise<void> {
    const { bus, clock } = this.#options
    const wanted = [...this.#jobs.values()].filter((job) => accountId === null || job.accountId === accountId)
    const ids = new Set(wanted.filter((job) => job.record().state === 'running').map(({ id }) => id))
    if (ids.size === 0 || this.#isListening(accountId)) return
    const refresh = { ids, done: deferred() }
    this.#refreshes.add(refresh)
    const cancel = clock.after(refreshMs, () => refresh.done.resolve())
    bus.tell('all', { listening: accountId === null ? null : [accountId] })
    this.#listeningUntil.set(accountId, clock.monotonicMs() + listeningMs)
    await refresh.done.promise
    cancel()
    this.#refreshes.delete(refresh)
  }

  /** Tells the other servers whose progress is wanted here. Repeat it every `listeningMs`. */
  listen(accounts: ReadonlySet<number | null>): void {
    if (accounts.size === 0) return
    const isAll = accounts.has(null) || accounts.size > maxListed
    const until = this.#options.clock.monotonicMs() + listeningMs
    this.#listeningUntil.clear()
    for (const account of isAll ? [null] : accounts) this.#listeningUntil.set(account, until)
    this.#options.bus.tell('all', { listening: isAll ? null : [...accounts].filter((account) => account !== null) })
  }

  /** This server runs the job now. */
  forget(id: string): void {
    this.#reading.delete(id)
    this.#jobs.delete(id)
  }

  /** Also what this server tells the others about jobs without a server. */
  receive(message: BusMessage): void {
    if ('job' in message) this.#set(message.job, message.accountId)
    if ('changed' in message) this.#read(message.changed, message).catch(this.#options.onError)
    if ('progress' in message) for (const progress of message.progress) this.#progress(progress)
  }

  /** What another message says meanwhile is newer. */
  async #read(id: string, message: BusMessage): Promise<void> {
    this.#reading.set(id, message)
    const isNewest = () => this.#reading.get(id) === message
    try {
      const entry = await this.#options.history.find(id)
      if (entry && isNewest()) this.#set(entry.job, entry.accountId)
    } finally {
      if (isNewest()) this.#reading.delete(id)
    }
  }

  #set(record: JobRecord, accountId: number): void {
    const { id } = record
    this.#reading.delete(id)
    this.#heard?.add(id)
    if (this.#options.isOwn(id)) return
    const job = this.#jobs.get(id) ?? new PeerJob(id, accountId)
    job.set(record)
    if (record.endedAt === null) this.#jobs.set(id, job)
    else this.#jobs.delete(id)
    this.#answer(id)
    for (const observer of this.#observers) observer(job, 'state')
  }

  #progress([id, bytes, rate, changes]: JobProgress): void {
    const job = this.#jobs.get(id)
    this.#answer(id)
    if (!job || this.#options.isOwn(id)) return
    job.progress(bytes, rate, changes)
    for (const observer of this.#observers) observer(job, 'progress')
  }

  #answer(id: string): void {
    for (const { ids, done } of this.#refreshes) {
      ids.delete(id)
      if (ids.size === 0) done.resolve()
    }
  }

  #isListening(accountId: number | null): boolean {
    const now = this.#options.clock.monotonicMs()
    const until = [accountId, null].map((account) => this.#listeningUntil.get(account) ?? 0)
    return until.some((each) => each > now)
  }

  #withProgress(job: RemoteJob): RemoteJob {
    const record = this.#jobs.get(job.record.id)?.record() ?? job.record
    // Messages about bytes that a client was told are stored may be late.
    return { ...job, record: record.bytes < job.storedBytes ? withBytes(record, job.storedBytes) : record }
  }

  #recover(): void {
    this.load().then(this.#options.onGap, this.#options.onError)
  }

  async #load(): Promise<void> {
    const heard = new Set<string>()
    this.#heard = heard
    try {
      const rows = await this.#options.remote.unfinished(null)
      const found = new Set(rows.map(({ record }) => record.id))
      for (const id of this.#jobs.keys()) if (!found.has(id) && !heard.has(id)) this.#jobs.delete(id)
      for (const { record, accountId } of rows) {
        if (heard.has(record.id)) continue
        const job = this.#jobs.get(record.id) ?? new PeerJob(record.id, accountId)
        job.set({ ...record, bytes: Math.max(record.bytes, job.bytes) })
        this.#jobs.set(record.id, job)
      }
    } finally {
      this.#heard = null
    }
  }
}

/** A job of another server. */
class PeerJob implements WatchedJob {
  readonly id: string
  readonly accountId: number
  #record!: JobRecord

  constructor(id: string, accountId: number) {
    this.id = id
    this.accountId = accountId
  }

  get bytes(): number {
    return this.#record?.bytes ?? 0
  }

  record(): JobRecord {
    return this.#record
  }

  set(record: JobRecord): void {
    this.#record = record
  }

  progress(bytes: number, rate: number | null, changes: Partial<JobRecord> = {}): void {
    this.#record = withBytes({ ...this.#record, ...changes, rate }, bytes)
  }
}

/** How long the other servers tell progress after they were asked to. */
export const listeningMs = 10_000
const refreshMs = 100
/** More would not fit into a message. */
const maxListed = 500
