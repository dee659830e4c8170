import { randomUUID } from 'node:crypto'
import { type JobKind, type JobRecord, jobKinds, type Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { Revocation } from '../auth/identity.js'
import type { HistoryEntry, JobHistory } from '../stores/history.js'
import { Job, type JobChange, type JobPlan } from './job.js'
import { type JobFilter, matches } from './job-filter.js'
import { JobMap, type Turn } from './job-map.js'
import { endByError } from './outcome.js'
import { cannotBe, tooLate } from './wording.js'

export interface JobPage {
  jobs: JobRecord[]
  /** The sequence number to ask for the next page with; null at the end. */
  next: number | null
}

type NewJob = Omit<JobPlan, 'id'> & { id?: string | null }

/** Hears of every change of every job; `accountId` is who may see it. */
export type JobObserver = (job: Job, change: JobChange) => void

/** All jobs: a map of running ones for each kind, the unfinished by id, and the history. */
export class Jobs {
  readonly #maps: Record<JobKind, JobMap>
  readonly #unfinished = new Map<string, { job: Job; seq: number }>()
  readonly #history: JobHistory
  readonly #observers = new Set<JobObserver>()
  #nextSeq: number
  #closed: Problem | null = null

  constructor(history: JobHistory, limits: { jobsPerAccount: number }) {
    this.#history = history
    this.#nextSeq = history.lastSeq + 1
    const limitOf = (account: string) => (account.startsWith('share:') ? exportsPerShare : limits.jobsPerAccount)
    this.#maps = {
      upload: new JobMap(limitOf),
      export: new JobMap(limitOf),
      import: new JobMap(limitOf),
      query: new JobMap((account) => Math.max(queriesPerAccount, limitOf(account))),
    }
  }

  /**
   * Claims a slot and starts the job. Throws `job-running`, `job-id-used`, `shutting-down`; while it waits, also
   * `job-stopped`, and what `turn.signal` says.
   */
  async start(plan: NewJob, turn: Turn): Promise<Job> {
    const job = await this.#admit(plan, turn)
    this.startClaimed(job)
    return job
  }

  /** As `start`, for a job that has something else to wait for with its slot: it is waiting until `startClaimed`. */
  async claim(plan: NewJob, turn: Turn): Promise<Job> {
    const job = await this.#admit(plan, turn)
    this.#note(job)
    this.#onChange(job, 'state')
    return job
  }

  startClaimed(job: Job): void {
    job.start()
    this.#note(job)
  }

  async #admit(plan: NewJob, turn: Turn): Promise<Job> {
    const id = plan.id ?? randomUUID()
    if (await this.#history.has(id)) throw idUsed(id)
    if (this.#closed) throw this.#closed
    if (this.#unfinished.has(id)) throw idUsed(id)
    const job = new Job({ ...plan, id }, (changed, change) => this.#onChange(changed, change))
    const map = this.#maps[job.kind]
    if (turn.waitMs > 0 && map.mustWait(job.account)) await this.#waitInTurn(job, map.queueUp(job, turn))
    else {
      map.claim(job)
      this.#enter(job)
    }
    return job
  }

  /** Takes up a job that an earlier run left interrupted; it holds no slot until `claimAgain`. */
  async restore(plan: JobPlan & Required<Pick<JobPlan, 'interrupted'>>): Promise<Job> {
    const job = new Job(plan, (changed, change) => this.#onChange(changed, change))
    const known = await this.#history.find(job.id)
    this.#enter(job, known?.seq ?? this.#nextSeq++)
    this.#note(job)
    return job
  }

  /** The unfinished job, with the handle that can stop it. */
  find(id: string): Job | undefined {
    return this.#unfinished.get(id)?.job
  }

  /** Any job's record, finished or not, with the account that may see it. */
  async findRecord(id: string): Promise<{ job: JobRecord; accountId: number } | undefined> {
    const live = this.find(id)
    return live ? { job: live.record(), accountId: live.accountId } : await this.#history.find(id)
  }

  /** As `Job.stop`, by id; a job that was stopped earlier gives its receipt again. Throws `job-not-found` too. */
  async stop(id: string, by: string): Promise<Receipt> {
    const job = this.find(id)
    if (job) return job.stop(by)
    const ended = await this.#getEnded(id)
    if (ended.receipt) return ended.receipt
    throw tooLate(ended.job)
  }

  /** As `Job.pause`, by id. */
  async pause(id: string): Promise<JobRecord> {
    return this.#change(id, 'paused', (job) => job.pause())
  }

  /** As `Job.resume`, by id. */
  async resume(id: string): Promise<JobRecord> {
    return this.#change(id, 'resumed', (job) => job.resume())
  }

  /** As `Job.limitRate`, by id. */
  async limitRate(id: string, bytesPerSecond: number | null): Promise<JobRecord> {
    return this.#change(id, 'limited', (job) => job.limitRate(bytesPerSecond))
  }

  /** Newest first. */
  async list(filter: JobFilter): Promise<JobPage> {
    const live = [...this.#unfinished.values()]
      .filter(
        ({ job, seq }) =>
          matches(job.record(), job.accountId, filter) && seq < (filter.before ?? Number.POSITIVE_INFINITY),
      )
      .map(({ job, seq }) => ({ seq, job: job.record() }))
    const ended = await this.#history.list({ ...filter, limit: filter.limit + 1 })
    const all = [...live, ...ended].sort((a, b) => b.seq - a.seq)
    const page = all.slice(0, filter.limit)
    return { jobs: page.map((entry) => entry.job), next: all.length > page.length ? (page.at(-1)?.seq ?? null) : null }
  }

  /** Every unfinished job. */
  unfinished(): Job[] {
    return [...this.#unfinished.values()].map((entry) => entry.job)
  }

  /** The account's jobs of a kind that hold a slot, oldest first. */
  holding(kind: JobKind, account: string): Job[] {
    return [...this.#maps[kind].holding(account)]
  }

  /** Stops all that hold a slot, newest first. Throws `no-running-job` when there is none. */
  async stopAll(kind: JobKind, account: string, by: string): Promise<Receipt[]> {
    const jobs = this.holding(kind, account).reverse()
    if (jobs.length === 0) throw new Problem('no-running-job', `There is no running ${kind} to stop.`)
    const settled = await Promise.allSettled(jobs.map((job) => job.stop(by)))
    const receipts = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = settled.find((result) => result.status === 'rejected')
    if (receipts.length === 0 && failure) throw failure.reason
    return receipts
  }

  /** Gives the slot of an interrupted job back; it goes on only after `claimAgain`. */
  releaseSlot(job: Job): void {
    this.#maps[job.kind].release(job)
  }

  /** Takes a slot again where the job has none. Throws as `start` does. */
  async claimAgain(job: Job, turn: Turn): Promise<void> {
    const map = this.#maps[job.kind]
    if (map.holding(job.account).includes(job)) return
    if (turn.waitMs > 0 && map.mustWait(job.account)) await map.queueUp(job, turn)
    else map.claim(job)
  }

  /** Returns the function that ends the observation. */
  observe(observer: JobObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Accepts no new job; those that wait for their turn end with `reason`. */
  close(reason: Problem): void {
    this.#closed = reason
    for (const job of this.unfinished()) if (job.state === 'waiting') job.abort(reason)
  }

  async #change(id: string, what: Parameters<typeof cannotBe>[0], change: (job: Job) => void): Promise<JobRecord> {
    const job = this.find(id)
    if (!job) throw cannotBe(what, (await this.#getEnded(id)).job)
    change(job)
    return job.record()
  }

  async #getEnded(id: string): Promise<HistoryEntry> {
    const entry = await this.#history.find(id)
    if (!entry) throw new Problem('job-not-found', `There is no job "${id}".`)
    return entry
  }

  async #waitInTurn(job: Job, admitted: Promise<void>): Promise<void> {
    this.#enter(job)
    this.#note(job)
    this.#onChange(job, 'state')
    try {
      await admitted
    } catch (error) {
      if (error instanceof Revocation) job.stop(error.by).catch(() => {})
      throw endByError(job, error)
    }
  }

  #enter(job: Job, seq = this.#nextSeq++): void {
    this.#unfinished.set(job.id, { job, seq })
  }

  /** What the next start of the server finds of it, should this run not come to the job's end. */
  #note(job: Job): void {
    const entry = this.#unfinished.get(job.id)
    if (entry) this.#history.append({ seq: entry.seq, accountId: job.accountId, job: job.record() })
  }

  #onChange(job: Job, change: JobChange): void {
    const entry = this.#unfinished.get(job.id)
    if (entry && job.isEnded && change === 'state') {
      this.#unfinished.delete(job.id)
      const receipt = job.state === 'stopped' ? { receipt: job.receipt() } : {}
      this.#history.append({ seq: entry.seq, accountId: job.accountId, job: job.record(), ...receipt })
      this.#maps[job.kind].release(job)
    }
    for (const observer of this.#observers) observer(job, change)
  }
}

export function isJobKind(text: string): text is JobKind {
  return (jobKinds as readonly string[]).includes(text)
}

const queriesPerAccount = 2
const exportsPerShare = 8

function idUsed(id: string): Problem {
  return new Problem('job-id-used', `The job id ${id} was used before: choose another one.`, { field: 'Filejobs-Job' })
}
