import { setMaxListeners } from 'node:events'
import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobKind } from '../../protocol/jobs.js'
import type { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { unlessAborted } from '../concurrency/abortable.js'
import { deferred } from '../concurrency/deferred.js'
import { Mutex } from '../concurrency/mutex.js'
import type { WorkFailure } from '../jobs/clean-ups.js'
import type { FileEnd } from '../jobs/file-tally.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { problemOf } from '../jobs/outcome.js'
import { type KeepLimits, ResumableLifetime } from '../jobs/resumable-lifetime.js'
import { interrupt, ResumableSlot, type SlotLimits } from '../jobs/resumable-slot.js'
import type { JobRun } from '../jobs/run-job.js'
import type { JobFiles } from '../stores/job-files.js'
import { BrokenStreams } from './broken-streams.js'
import { countFile } from './count-file.js'
import { folderJobExpired, isFinishing, ofAnotherKind, tooManyStreams, unnamedFiles } from './folder-problems.js'
import { FolderStream, type Held } from './folder-stream.js'
import { publishAll, type Stage } from './stage.js'

export interface FolderServices extends SlotLimits, KeepLimits {
  jobs: Jobs
  clock: Clock
  /** Throws if the account may no longer publish. */
  checkAccess(accountId: number): Promise<void>
  /** The lists of their files. */
  lists: JobFiles
  onCleanUpError(job: Job, error: unknown): void
}

/** A request that is one stream of a job. */
export interface StreamRequest extends Omit<JobRequest, 'jobId'> {
  kind: JobKind
  /** The file, if there is one and its name is known. */
  name: string | null
  /** Of all its files, if it brings several; default that of the job. */
  prefix?: string
  /** For the whole job, from now on; null, the default, leaves it as it is. */
  rateLimit?: number | null
}

/**
 * A job of many files: it outlives its requests, which are its streams, until it is finished, stopped or expired. It keeps
 * its slot for a while between two streams; then it is interrupted, and the next one resumes it.
 */
export class FolderJob {
  readonly job: Job
  readonly stage: Stage | null
  readonly #run: JobRun
  readonly #services: FolderServices
  readonly #slot: ResumableSlot
  readonly #lifetime: ResumableLifetime
  readonly #claims = new Mutex()
  readonly #finishing = deferred()
  readonly #streams = new Set<FolderStream>()
  readonly #held = new Set<Held>()
  /** null if each file is published by itself. */
  readonly #broken: BrokenStreams | null
  #idle = deferred()
  #isFinishing = false
  #isClosed = false
  #isClean = true
  #opened = 0
  #lastUsedAt: number

  /** `job` has its slot. */
  constructor(run: JobRun, services: FolderServices, stage: Stage | null) {
    this.#run = run
    this.job = run.job
    this.#services = services
    this.stage = stage
    this.#broken = stage && new BrokenStreams(run.job)
    setMaxListeners(0, run.signal)
    this.#slot = new ResumableSlot(services.jobs, this.job, services, () => this.#giveUpSlot())
    this.#lifetime = new ResumableLifetime(services, { isUsed: true, ageMs: 0 })
    this.#lastUsedAt = services.clock.monotonicMs()
    this.#idle.resolve()
  }

  /** The work of its job. */
  async work(): Promise<void> {
    const { job } = this
    this.#run.onEnd(() => this.#slot.close())
    this.#run.onFailure(() => this.stage?.discard())
    this.#run.onEnd(() => this.#removeHeld())
    this.#run.onFailure(() => this.#untilClean())
    await this.#slot.claim(noWait)
    if (this.#streams.size === 0) this.#slot.idle(this.#lastUsedAt)
    await unlessAborted(this.#finishing.promise, job.signal)
    await this.#services.checkAccess(job.accountId)
    if (this.stage) await this.#removeHeld()
    this.#broken?.settle()
    await publishAll(job, this.stage)
  }

  get hasExpired(): boolean {
    return this.#streams.size === 0 && this.#lifetime.remainingMs === 0
  }

  expire(): void {
    this.job.abort(folderJobExpired())
  }

  /**
   * Runs `work` as one stream. Throws before it begins: `not-joinable`, `not-running`, `too-many-requests`, and
   * `job-running` if the slot was given up and is taken. If `work` fails, rejects when nothing of it is left, and after a
   * stop, when the job has ended.
   */
  async join<Result>(request: StreamRequest, work: (stream: FolderStream) => Promise<Result>): Promise<Result> {
    const stream = this.#enter(request)
    let failure: WorkFailure | null = null
    let hasBegun = false
    try {
      await this.#resume(request, stream.signal)
      hasBegun = true
      return await work(stream)
    } catch (error) {
      failure = { error }
    } finally {
      this.#isClean = (await stream.end(failure)) && this.#isClean
      if (hasBegun && !this.job.signal.aborted) this.#settle(request, stream, failure)
      this.#leave(stream)
    }
    // After a stop, the receipt and this answer are sent together.
    if (this.job.signal.aborted) {
      await this.job.ended
      await this.#services.jobs.save(this.job)
    }
    throw problemOf(this.job, failure?.error)
  }

  /** Waits for its streams, publishes what waits for it, and ends the job. Repeating it is not an error. */
  async finish(): Promise<Publication> {
    const { job } = this
    this.#isFinishing = true
    await unlessAborted(this.#idle.promise, job.signal).catch(() => {})
    if (job.state === 'interrupted') this.#run.start()
    this.#finishing.resolve()
    await job.ended
    if (job.state !== 'done') throw problemOf(job, job.error ?? job.signal.reason)
    return job.files!.publication
  }

  /** Counts files that need no transfer, or could not be transferred by the client. */
  count(files: FileEnd[]): void {
    this.#lifetime.touch()
    for (const file of files) {
      if (file.status !== 'failed') this.job.shift(file.size)
      if (file.status === 'unchanged') this.stage?.keep([file.name])
      countFile(this.job, file)
    }
  }

  /** The same for files without their names. */
  countUnchanged({ count, bytes }: { count: number; bytes: number }): void {
    if (this.stage?.replaces) throw unnamedFiles()
    this.#lifetime.touch()
    this.job.shift(bytes)
    this.job.countFiles((tally) => tally.countUnchanged(count))
  }

  /** Ends the job by `reason` when its streams have ended, unless it is being finished: no more can come. */
  async close(reason: Problem): Promise<void> {
    this.#isClosed = true
    await this.#idle.promise
    if (!this.#isFinishing) this.job.abort(reason)
  }

  #settle({ name, prefix }: StreamRequest, stream: FolderStream, failure: WorkFailure | null): void {
    const folder = prefix ?? this.job.file ?? ''
    if (failure && name !== null) stream.fileFailed(name, failure.error)
    else if (failure) this.#broken?.add(folder, stream.arriving, failure.error)
    else if (name === null) this.#broken?.repeat(folder, stream.arriving)
  }

  #enter({ kind, name, prefix }: StreamRequest): FolderStream {
    const { job } = this
    if (kind !== job.kind) throw ofAnotherKind(job.record())
    if (this.#isFinishing || this.#isClosed) throw isFinishing(job.record())
    if (this.#streams.size >= maxStreams) throw tooManyStreams(job.record(), maxStreams)
    job.signal.throwIfAborted()
    const stream = new FolderStream({
      job,
      partialId: `${job.id}.${this.#opened++}`,
      stage: this.stage,
      onCleanUpError: (error) => this.#services.onCleanUpError(job, error),
      hold: (held) => this.#hold(held),
    })
    stream.checkName(name ?? prefix ?? job.file ?? '')
    if (this.#streams.size === 0) this.#idle = deferred()
    this.#streams.add(stream)
    this.#slot.use()
    return stream
  }

  async #resume(request: StreamRequest, signal: AbortSignal): Promise<void> {
    // One claim at a time: two of one job would take two slots.
    const claimed = this.#claims.run(async () => {
      if (this.#slot.isHeld) return
      await this.#slot.claim(queueWaitOf(request))
      if (this.job.state === 'interrupted') this.#run.start()
    })
    await unlessAborted(claimed, signal)
    if (request.rateLimit) this.job.limitRate(request.rateLimit)
  }

  #leave(stream: FolderStream): void {
    this.#streams.delete(stream)
    this.#lastUsedAt = this.#services.clock.monotonicMs()
    this.#lifetime.touch()
    if (this.#streams.size > 0) return
    this.#idle.resolve()
    if (!this.job.signal.aborted && !this.job.isEnded) this.#slot.idle(this.#lastUsedAt)
  }

  #giveUpSlot(): void {
    if (this.#streams.size > 0 || this.#isFinishing || !this.#slot.isHeld) return
    if (this.#slot.isDue) {
      interrupt(this.job)
      this.#slot.release()
    } else this.#slot.idle(this.#lastUsedAt)
  }

  #hold(held: Held): (bytes: number) => void {
    this.#held.add(held)
    return (bytes) => {
      if (this.#held.delete(held)) this.job.shift(-bytes)
    }
  }

  /** Incomplete files between two streams: no other one can complete them. */
  async #removeHeld(): Promise<void> {
    for (const held of [...this.#held]) {
      this.#held.delete(held)
      if (this.job.signal.aborted) this.job.files?.discard(held.bytes())
      else {
        this.job.shift(-held.bytes())
        countFile(this.job, { name: held.name, status: 'failed', error: incomplete })
      }
      await held.remove()
    }
  }

  async #untilClean(): Promise<void> {
    await this.#idle.promise
    if (!this.#isClean) throw new Error('Something of an incomplete file is left.')
  }
}

const incomplete = { code: 'client-left', message: 'The file was not complete when the job was finished.' }
/** As many connections as one export may have. */
const maxStreams = 64
/** The slot is there already. */
const noWait = { waitMs: 0, signal: new AbortController().signal }
