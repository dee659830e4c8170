import { randomUUID } from 'node:crypto'
import type { JobChanges, JobKind, JobRecord, Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import type { HistoryEntry, JobHistory } from '../stores/history.js'
import type { JobFilter } from '../stores/job-filter.js'
import type { Claim, QueueWait, Slots } from '../stores/slots.js'
import type { Admission } from './admission.js'
import { Job, type JobChange } from './job.js'
import { type JobPage, pageOfJobs } from './job-page.js'
import type { JobPlan, NewJob } from './job-plan.js'
import { stopTooLate, wrongState } from './job-problems.js'

export interface JobsOptions {
  slots: Slots
  clock: Clock
  /** Called when something of a job could not be removed. Default: ignored. */
  onCleanUpError?: (job: Job, error: unknown) => void
}

/** Receives every change of every job; `accountId` is the account that may see it. */
export type JobObserver = (job: Job, change: JobChange) => void

/** All jobs: their slots, the unfinished ones by id, and the history. */
export class Jobs {
  readonly #slots: Slots
  readonly #unfinished = new Map<string, { job: Job; seq: number }>()
  readonly #history: JobHistory
  /** Ends that are being recorded: what reads the history waits for them. */
  readonly #recording = new Map<string, Promise<void>>()
  readonly #clock: Clock
  readonly #observers = new Set<JobObserver>()
  readonly #onCleanUpError: (job: Job, error: unknown) => void
  #closed: Problem | null = null

  constructor(history: JobHistory, { slots, clock, onCleanUpError = () => {} }: JobsOptions) {
    this.#history = history
    this.#clock = clock
    this.#onCleanUpError = onCleanUpError
    this.#slots = slots
  }

  /**
   * Claims a slot for a new job, or a position in the queue. Throws `job-running`, `job-id-used`, `shutting-down`, and
   * the reason of `wait.signal`.
   */
  async admit(plan: NewJob, wait: QueueWait): Promise<Admission> {
    const job = await this.#make(plan)
    const { queued } = await this.#enterNew(job, this.#slots.claim(job, wait))
    const { startsLater = false } = plan
    if (queued || startsLater) await this.#announce(job)
    return this.#admission(job, { queued, startsLater })
  }

  async #make(plan: NewJob): Promise<Job> {
    const id = plan.id ?? randomUUID()
    await this.#recording.get(id)
    if (this.#closed) throw this.#closed
    return new Job({ ...plan, id }, (changed, change) => this.#onChange(changed, change), this.#clock)
  }

  /**
   * Creates a job that continues between its requests: it is waiting, without a slot, until `claimSlot`. Throws
   * `job-id-used` and `shutting-down`.
   */
  async register(plan: NewJob): Promise<Admission> {
    const job = await this.#make({ ...plan, isResumable: true })
    await this.#enterNew(job, this.#slots.register(job))
    await this.#announce(job)
    return this.#admission(job, { queued: null, startsLater: true })
  }

  /** Registers a job that an earlier run left interrupted; it holds no slot until `claimSlot`. */
  async restore(plan: JobPlan & Required<Pick<JobPlan, 'interrupted'>>): Promise<Admission> {
    const onChange = (changed: Job, change: JobChange) => this.#onChange(changed, change)
    const job = new Job({ ...plan, isResumable: true }, onChange, this.#clock)
    const known = await this.#history.find(job.id)
    this.#enter(job, await this.#slots.register(job, known?.seq))
    await this.#note(job)
    return this.#admission(job, { queued: null, startsLater: true })
  }

  /** The unfinished job, which can be stopped. */
  find(id: string): Job | undefined {
    return this.#unfinished.get(id)?.job
  }

  /** Any job's record, finished or not, with the account that may see it. */
  async findRecord(id: string): Promise<{ job: JobRecord; accountId: number } | undefined> {
    const live = this.find(id)
    return live ? { job: live.record(), accountId: live.accountId } : await this.findEnded(id)
  }

  /** Like `Job.stop`, by id; a job that was stopped earlier returns its receipt again. Throws `job-not-found` too. */
  async stop(id: string, by: string): Promise<Receipt> {
    const job = this.find(id)
    if (job) {
      const receipt = await job.stop(by)
      await this.#recording.get(id)
      return receipt
    }
    const ended = await this.#getEnded(id)
    if (ended.receipt) return ended.receipt
    throw stopTooLate(ended.job)
  }

  /** Like `Job.pause`, by id. */
  async pause(id: string): Promise<JobRecord> {
    return this.#change(id, 'paused', (job) => job.pause())
  }

  /** Like `Job.resume`, by id. */
  async resume(id: string): Promise<JobRecord> {
    return this.#change(id, 'resumed', (job) => job.resume())
  }

  /** Limits its rate, like `Job.limitRate`, or corrects the totals of a job of many files. By id. */
  async change(id: string, { rateLimit, files, totalBytes }: JobChanges): Promise<JobRecord> {
    return this.#change(id, 'limited', (job) => {
      if (files !== undefined || totalBytes !== undefined) job.correctTotals({ files, totalBytes })
      if (rateLimit !== undefined) job.limitRate(rateLimit)
    })
  }

  /** Newest first. */
  async list(filter: JobFilter): Promise<JobPage> {
    await Promise.all(this.#recording.values())
    return pageOfJobs([...this.#unfinished.values()], this.#history, filter)
  }

  /** Every unfinished job. */
  unfinished(): Job[] {
    return [...this.#unfinished.values()].map((entry) => entry.job)
  }

  /** The account's jobs of a kind that hold a slot, oldest first. */
  async holding(kind: JobKind, account: string): Promise<JobRecord[]> {
    return this.#slots.holding(kind, account)
  }

  /**
   * Stops all jobs that hold a slot, then the resumable ones that wait for one or were active recently, each newest
   * first. Throws `no-running-job` if there are none.
   */
  async stopAll(kind: JobKind, account: string, by: string): Promise<Receipt[]> {
    const holding = (await this.holding(kind, account)).flatMap(({ id }) => this.find(id) ?? [])
    const resumable = this.unfinished().filter(
      (job) => job.kind === kind && job.account === account && job.isResumable && !job.isSuspended,
    )
    const jobs = [...new Set([...holding.reverse(), ...resumable.reverse()])]
    if (jobs.length === 0) throw new Problem('no-running-job', `There is no running ${kind} to stop.`)
    const settled = await Promise.allSettled(jobs.map((job) => job.stop(by)))
    const receipts = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = settled.find((result) => result.status === 'rejected')
    if (receipts.length === 0 && failure) throw failure.reason
    return receipts
  }

  /** Releases the slot of an interrupted job; it continues only after `claimSlot`. */
  releaseSlot(job: Job): void {
    void this.#slots.release(job)
  }

  /** Whether another job of the account waits for a slot of that kind. */
  isSlotWanted({ kind, account }: Job): boolean {
    return this.#slots.isWanted(kind, account)
  }

  /** Takes a slot for a resumable job that has none, like `Slots.claimAgain`, without ending the job if that fails. */
  async claimSlot(job: Job, wait: QueueWait, onWanted: () => void): Promise<void> {
    await this.#slots.claimAgain(job, wait, onWanted)
  }

  /** Returns a function that removes the observer. */
  observe(observer: JobObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Accepts no new jobs; those that wait for a slot end with `reason`, except for resumable ones. */
  close(reason: Problem): void {
    this.#closed = reason
    for (const job of this.unfinished()) if (job.state === 'waiting' && !job.isResumable) job.abort(reason)
  }

  async #change(id: string, what: Parameters<typeof wrongState>[0], change: (job: Job) => void): Promise<JobRecord> {
    const job = this.find(id)
    if (!job) throw wrongState(what, (await this.#getEnded(id)).job)
    change(job)
    return job.record()
  }

  async #getEnded(id: string): Promise<HistoryEntry> {
    const entry = await this.findEnded(id)
    if (!entry) throw new Problem('job-not-found', `There is no job "${id}".`)
    return entry
  }

  /** How a job has ended. */
  async findEnded(id: string): Promise<HistoryEntry | undefined> {
    await this.#recording.get(id)
    return this.#history.find(id)
  }

  async #enterNew(job: Job, claiming: Promise<Claim>): Promise<Claim> {
    const claim = await claiming
    if (this.#closed) {
      job.abort(this.#closed)
      await this.#slots.release(job)
      throw this.#closed
    }
    this.#enter(job, claim)
    return claim
  }

  #enter(job: Job, { seq, lost }: Claim): void {
    this.#unfinished.set(job.id, { job, seq })
    const onLost = () => job.abort(lost.reason)
    if (lost.aborted) onLost()
    else lost.addEventListener('abort', onLost, { once: true })
  }

  #admission(job: Job, { queued, startsLater }: Pick<Admission, 'queued' | 'startsLater'>): Admission {
    return {
      job,
      queued,
      startsLater,
      start: () => this.#start(job),
      release: () => this.releaseSlot(job),
      recorded: () => this.#recording.get(job.id) ?? Promise.resolve(),
      onCleanUpError: (error) => this.#onCleanUpError(job, error),
    }
  }

  #start(job: Job): void {
    const isNew = job.state === 'waiting'
    job.start()
    if (isNew) void this.#note(job)
  }

  async #announce(job: Job): Promise<void> {
    const noted = this.#note(job)
    this.#onChange(job, 'state')
    await noted
  }

  /** Records the job for the next start of the server, in case this process does not record its end. */
  async #note(job: Job): Promise<void> {
    const entry = this.#unfinished.get(job.id)
    if (entry) await this.#history.note({ seq: entry.seq, accountId: job.accountId, job: job.record() })
  }

  #onChange(job: Job, change: JobChange): void {
    const entry = this.#unfinished.get(job.id)
    if (entry && job.isEnded && change === 'state') {
      this.#unfinished.delete(job.id)
      this.#recordEnd(job, entry.seq)
    }
    for (const observer of this.#observers) observer(job, change)
  }

  #recordEnd(job: Job, seq: number): void {
    const receipt = job.state === 'stopped' ? { receipt: job.receipt() } : {}
    const published = job.files ? { published: job.files.publication } : {}
    const recorded = this.#history
      .end({ seq, accountId: job.accountId, job: job.record(), ...receipt, ...published })
      .finally(() => this.#recording.delete(job.id))
    this.#recording.set(job.id, recorded)
  }
}
