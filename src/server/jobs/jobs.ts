import { randomUUID } from 'node:crypto'
import type { JobChanges, JobKind, JobRecord, Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { HistoryEntry, JobHistory } from '../stores/history.js'
import type { JobFilter } from '../stores/job-filter.js'
import { noRemoteJobs, type RemoteJob, type RemoteJobs } from '../stores/remote-jobs.js'
import type { Claim, QueueWait, Slots } from '../stores/slots.js'
import type { Admission } from './admission.js'
import { Job, type JobChange } from './job.js'
import { type JobPage, latestOf, mayBeUnfinished } from './job-page.js'
import type { JobPlan, NewJob } from './job-plan.js'
import { stopTooLate, wrongState } from './job-problems.js'
import { JobRecords } from './job-records.js'
import type { JobsOptions } from './jobs-options.js'
import { jobsToStop } from './jobs-to-stop.js'

/** Receives every change of every job; `accountId` is the account that may see it. */
export type JobObserver = (job: Job, change: JobChange) => void

/** All jobs: their slots, the unfinished ones by id, and the history. */
export class Jobs {
  readonly #slots: Slots
  readonly #remote: RemoteJobs
  readonly #unfinished = new Map<string, { job: Job; seq: number }>()
  readonly #records: JobRecords
  readonly #clock: Clock
  readonly #observers = new Set<JobObserver>()
  readonly #onCleanUpError: (job: Job, error: unknown) => void
  #closed: Problem | null = null

  constructor(history: JobHistory, { slots, clock, remote = noRemoteJobs, onCleanUpError = () => {} }: JobsOptions) {
    this.#records = new JobRecords(history)
    this.#clock = clock
    this.#onCleanUpError = onCleanUpError
    this.#slots = slots
    this.#remote = remote
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
    await this.#records.settled(id)
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
    const known = await this.#records.find(job.id)
    this.#enter(job, await this.#slots.register(job, known?.seq))
    await this.#note(job)
    return this.#admission(job, { queued: null, startsLater: true })
  }

  /** An unfinished job of this server. */
  find(id: string): Job | undefined {
    return this.#unfinished.get(id)?.job
  }

  /**
   * Any job's record, finished or not, with the account that may see it. `isFresh`: with the progress of a job of another
   * server, as far as that comes soon.
   */
  async findRecord(id: string, isFresh = false): Promise<{ job: JobRecord; accountId: number } | undefined> {
    const live = this.find(id)
    if (live) return { job: live.record(), accountId: live.accountId }
    await this.#records.settled(id)
    const remote = await this.#remote.find(id)
    if (!remote) return this.findEnded(id)
    if (!isFresh) return { job: remote.record, accountId: remote.accountId }
    await this.#remote.refresh(remote.accountId)
    return this.findRecord(id)
  }

  /** Like `Job.stop`, by id; a job that was stopped earlier returns its receipt again. Throws `job-not-found` too. */
  async stop(id: string, by: string): Promise<Receipt> {
    const job = this.find(id)
    if (job) {
      const receipt = await job.stop(by)
      await this.#records.settled(id)
      return receipt
    }
    const remote = await this.#remote.find(id)
    const receipt = await remote?.stop(by)
    if (receipt) return receipt
    const ended = await this.#records.get(id)
    if (ended.receipt) return ended.receipt
    throw stopTooLate(ended.job)
  }

  /** Like `Job.pause`, by id. */
  async pause(id: string): Promise<JobRecord> {
    return this.#change(id, 'paused', { own: (job) => job.pause(), remote: (job) => job.pause() })
  }

  /** Like `Job.resume`, by id. */
  async resume(id: string): Promise<JobRecord> {
    return this.#change(id, 'resumed', { own: (job) => job.resume(), remote: (job) => job.resume() })
  }

  /** Limits its rate, like `Job.limitRate`, or corrects the totals of a job of many files. By id. */
  async change(id: string, changes: JobChanges): Promise<JobRecord> {
    const { rateLimit, files, totalBytes } = changes
    return this.#change(id, 'limited', {
      own(job) {
        if (files !== undefined || totalBytes !== undefined) job.correctTotals({ files, totalBytes })
        if (rateLimit !== undefined) job.limitRate(rateLimit)
      },
      remote: (job) => job.change(changes),
    })
  }

  /** Newest first. */
  async list(filter: JobFilter): Promise<JobPage> {
    return this.#records.page(async () => {
      // Neither the rows nor the progress of unfinished jobs are wanted.
      if (!mayBeUnfinished(filter)) return []
      await this.#remote.refresh(filter.accountId)
      const remote = await this.#remote.unfinished(filter.accountId, latestOf(filter))
      const own = [...this.#unfinished.values()].map(({ job, seq }) => {
        return { seq, accountId: job.accountId, record: job.record() }
      })
      return [...remote, ...own]
    }, filter)
  }

  /** Every unfinished job of this server. */
  unfinished(): Job[] {
    return [...this.#unfinished.values()].map((entry) => entry.job)
  }

  /** The account's jobs of a kind that hold a slot, oldest first. */
  async holding(kind: JobKind, account: string): Promise<JobRecord[]> {
    return this.#slots.holding(kind, account)
  }

  /** Stops the `jobsToStop`. Throws `no-running-job` if there are none. */
  async stopAll(kind: JobKind, account: Account): Promise<Receipt[]> {
    const name = accountName(account)
    const [holding, remote] = await Promise.all([this.holding(kind, name), this.#remote.unfinished(account.id)])
    const ids = jobsToStop({ kind, account: name }, { holding, remote, own: [...this.#unfinished.values()] })
    if (ids.length === 0) throw new Problem('no-running-job', `There is no running ${kind} to stop.`)
    const settled = await Promise.allSettled(ids.map((id) => this.stop(id, name)))
    const receipts = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const failure = settled.find((result) => result.status === 'rejected')
    if (receipts.length === 0 && failure) throw failure.reason
    return receipts
  }

  /** Stops unfinished jobs that an account may see. Resolves when they have ended; being too late for some is no error. */
  async stopAllOf(accountId: number, by: string, isMeant: (job: JobRecord) => boolean = () => true): Promise<void> {
    const own = this.unfinished().filter((job) => job.accountId === accountId && isMeant(job.record()))
    const remote = (await this.#remote.unfinished(accountId)).filter(({ record }) => isMeant(record))
    await Promise.allSettled([...own, ...remote].map((job) => job.stop(by)))
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

  /** Gives up a resumable job, which another server continues. */
  async handOver(job: Job): Promise<void> {
    await this.#note(job)
    this.#unfinished.delete(job.id)
    await this.#slots.handOver(job)
  }

  /** Resolves when the history has the job as it is now. */
  async save(job: Job): Promise<void> {
    if (job.isEnded) await this.#records.settled(job.id)
    else await this.#note(job)
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

  async #change(
    id: string,
    what: Parameters<typeof wrongState>[0],
    change: { own: (job: Job) => void; remote: (job: RemoteJob) => Promise<JobRecord | undefined> },
  ): Promise<JobRecord> {
    const job = this.find(id)
    if (job) {
      change.own(job)
      return job.record()
    }
    const remote = await this.#remote.find(id)
    const changed = remote && (await change.remote(remote))
    if (changed) return changed
    throw wrongState(what, (await this.#records.get(id)).job)
  }

  /** What the history has of a job: how it has ended, or begun. */
  findEnded(id: string): Promise<HistoryEntry | undefined> {
    return this.#records.find(id)
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
      recorded: () => this.#records.settled(job.id),
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

  async #note(job: Job): Promise<void> {
    const entry = this.#unfinished.get(job.id)
    if (entry) await this.#records.note(job, entry.seq)
  }

  #onChange(job: Job, change: JobChange): void {
    const entry = this.#unfinished.get(job.id)
    if (entry && job.isEnded && change === 'state') {
      this.#unfinished.delete(job.id)
      this.#records.end(job, entry.seq)
    }
    for (const observer of this.#observers) observer(job, change)
  }
}
