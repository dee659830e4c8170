import type { JobChanges, JobKind, JobRecord, JobState, Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import type { PublishedUpload } from '../stores/history.js'
import { FileTally } from './file-tally.js'
import { JobClock } from './job-clock.js'
import { endOf, errorOf, type JobEnd, type Outcome } from './job-end.js'
import type { JobPlan } from './job-plan.js'
import { notPausable, stopTooLate, wrongState } from './job-problems.js'
import { mayBecome } from './job-states.js'
import { Meter } from './meter.js'
import { percentOf } from './percent.js'
import { receiptOf, type Stop, Stopped } from './stop.js'
import { Throttle } from './throttle.js'

/** `state`: it changed. `progress`: bytes were transferred, or the limit was changed. */
export type JobChange = 'state' | 'progress'

/**
 * One run of an upload, export, import or query: its record and its state machine. The work that `runJob` runs for it owns
 * the streams, and listens to `signal`.
 */
export class Job {
  readonly id: string
  readonly kind: JobKind
  readonly accountId: number
  readonly account: string
  /** The clock of all its streams. */
  readonly clock: Clock
  readonly throttle: Throttle
  readonly isResumable: boolean
  /** Of a job of many files; null for any other. */
  readonly files: FileTally | null
  /** For a resumable job: whether its client has been away for so long that a stop of all running jobs skips it. */
  isSuspended = false
  readonly query: string | null
  file: string | null
  table: string | null
  rows: number | null = null
  /** Of a resumable upload, before it is done. */
  uploaded: PublishedUpload | null = null

  readonly #times: JobClock
  readonly #meter: Meter
  readonly #controller = new AbortController()
  readonly #onChange: (job: Job, change: JobChange) => void
  readonly #ended = deferred()
  #unpaused: Deferred<void> = deferred()
  #wasPaused = false
  #state: JobState = 'waiting'
  #totalBytes: number | null
  #startedAt: Date | null = null
  #stop: Stop | null = null
  /** Requested while committing: it takes effect only if the publish fails. */
  #lateStop: Stop | null = null
  #end: JobEnd | null = null

  constructor(plan: JobPlan, onChange: (job: Job, change: JobChange) => void, clock: Clock) {
    this.id = plan.id
    this.kind = plan.kind
    this.accountId = plan.accountId
    this.account = plan.account
    this.file = plan.file ?? null
    this.table = plan.table ?? null
    this.query = plan.query ?? null
    this.clock = clock
    this.throttle = new Throttle(plan.rateLimit ?? null, clock)
    this.isResumable = plan.isResumable ?? false
    this.files = plan.files ? new FileTally(plan.files.total) : null
    this.#totalBytes = plan.totalBytes ?? null
    this.#onChange = onChange
    this.#meter = new Meter(clock)
    this.#times = new JobClock(clock, plan.interrupted?.startedAt.getTime())
    if (!plan.interrupted) return
    this.#state = 'interrupted'
    this.isSuspended = true
    this.#startedAt = plan.interrupted.startedAt
    this.#meter.restart(plan.interrupted.bytes)
    this.#wasPaused = plan.interrupted.paused
  }

  get state(): JobState {
    return this.#state
  }

  /** Whether it is paused, or will be when its client reconnects. */
  get isHeld(): boolean {
    return this.#state === 'paused' || this.#wasPaused
  }

  /** Aborted with `Stopped`, or with the `Problem` that fails the job. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get bytes(): number {
    return this.#meter.bytes
  }

  get totalBytes(): number | null {
    return this.#totalBytes
  }

  set totalBytes(bytes: number | null) {
    this.#totalBytes = bytes
    this.#onChange(this, 'progress')
  }

  get isEnded(): boolean {
    return this.#end !== null
  }

  get error(): Problem | null {
    return this.#end?.error ?? null
  }

  /** Resolves when the job has ended, whatever the outcome. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Resolves when it is not paused. */
  get unpaused(): Promise<void> {
    return this.#state === 'paused' ? this.#unpaused.promise : Promise.resolve()
  }

  start(): void {
    this.#startedAt ??= this.#times.now()
    this.#become('running')
    // A pause lasts until it is resumed: the return of the sender does not end it.
    if (this.#wasPaused) this.pause()
    this.#wasPaused = false
  }

  count(bytes: number): void {
    this.#meter.count(bytes)
    this.#onChange(this, 'progress')
  }

  /** Sets the bytes to an offset: where a resumed upload continues, or falls back to. */
  countFrom(offset: number): void {
    this.#meter.restart(offset)
    this.#onChange(this, 'progress')
  }

  /** Counts bytes that need no transfer, or takes back those of a stream that has failed: the rate does not include them. */
  shift(bytes: number): void {
    if (bytes === 0) return
    this.#meter.shift(bytes)
    this.#onChange(this, 'progress')
  }

  /** For a job of many files. Throws for any other. */
  countFiles(change: (files: FileTally) => void): void {
    if (!this.files) throw new Error(`The job ${this.id} is not one of many files.`)
    change(this.files)
    this.#onChange(this, 'progress')
  }

  /** Sets what a client learns late: how much a job of many files has in all. Throws `invalid-request` and `not-running`. */
  correctTotals({ files, totalBytes }: Pick<JobChanges, 'files' | 'totalBytes'>): void {
    if (!this.files) throw new Problem('invalid-request', 'The job is not one of many files: its totals are fixed.')
    if (this.isEnded) throw wrongState('changed', this.record())
    this.files.total = files ?? this.files.total
    this.#totalBytes = totalBytes ?? this.#totalBytes
    this.#onChange(this, 'progress')
  }

  /** Pausing a paused job is not an error. Throws `not-running` and `not-pausable`. */
  pause(): void {
    if (this.#state === 'paused') return
    this.#refuseUnpausable('paused')
    if (this.#state !== 'running') throw wrongState('paused', this.record())
    this.#unpaused = deferred()
    this.#become('paused')
  }

  /** Resuming a running job is not an error. Throws `not-running`. */
  resume(): void {
    if (this.#state === 'running') return
    if (this.#state === 'interrupted' && this.#wasPaused) {
      this.#wasPaused = false
      this.#onChange(this, 'state')
      return
    }
    if (this.#state !== 'paused') throw wrongState('resumed', this.record())
    this.#become('running')
    this.#unpaused.resolve()
  }

  /**
   * The client of a resumable upload has disconnected. A paused job is paused again when the client returns,
   * unless it was resumed before.
   */
  interrupt(): void {
    this.#wasPaused = this.#state === 'paused'
    this.#unpaused.resolve()
    this.#become('interrupted')
  }

  /** Bytes per second from now on, null for no limit. Throws `not-running` and `not-pausable`. */
  limitRate(bytesPerSecond: number | null): void {
    if (this.isEnded) throw wrongState('limited', this.record())
    this.#refuseUnpausable('limited')
    this.throttle.bytesPerSecond = bytesPerSecond
    this.#onChange(this, 'progress')
  }

  /** The point of no return before a publish. Throws the abort's reason if a stop came first. */
  commit(): void {
    this.signal.throwIfAborted()
    this.#unpaused.resolve()
    if (this.#state === 'paused') this.#become('running')
    this.#become('committing')
  }

  /**
   * Stops the job and resolves when it has ended, with nothing left of it. A stopped job gives its receipt again. Throws
   * `already-published` when it is too late, also while committing, unless that publish then fails; `not-running` when
   * the job failed.
   */
  async stop(by: string): Promise<Receipt> {
    const request = { by, at: this.#times.now(), began: this.clock.monotonicMs() }
    if (this.#state === 'committing') this.#lateStop ??= request
    else if (!this.isEnded) {
      this.#stop ??= request
      this.#controller.abort(new Stopped(by))
    }
    await this.ended
    if (!this.receipt) throw stopTooLate(this.record())
    return this.receipt
  }

  /** Of a stop, once the job has ended; also where it was failing already when the stop came. */
  get receipt(): Receipt | undefined {
    if (!this.#stop || !this.#end || this.#state === 'done') return undefined
    return receiptOf(this.record(), this.#stop, this.#end, this.files)
  }

  /** Fails the job for a reason outside of its work: a stall, a shutdown. */
  abort(error: Problem): void {
    this.#controller.abort(error)
  }

  /**
   * Called once by `runJob`, after the clean-ups. Throws, with nothing changed, where the job cannot end so from its state.
   */
  end(outcome: Outcome): void {
    if (this.isEnded) return
    const time = { at: this.#times.now(), atMs: this.clock.monotonicMs() }
    const end = endOf(outcome, this.signal.reason instanceof Stopped, time)
    this.#check(end.state)
    this.#end = end
    if (end.state === 'failed') this.#stop ??= this.#lateStop
    if (end.state === 'done') this.#totalBytes ??= this.bytes
    this.#unpaused.resolve()
    this.#become(end.state)
    this.#ended.resolve()
  }

  record(): JobRecord {
    const moving = this.#state === 'running' || this.#state === 'paused'
    return {
      id: this.id,
      kind: this.kind,
      account: this.account,
      file: this.file,
      table: this.table,
      state: this.#state,
      bytes: this.bytes,
      totalBytes: this.#totalBytes,
      percent: percentOf(this.bytes, this.#totalBytes, this.#state),
      rows: this.rows,
      files: this.files?.record() ?? null,
      rate: moving ? this.#meter.rate() : null,
      rateLimit: this.throttle.bytesPerSecond,
      startedAt: this.#startedAt?.toISOString() ?? null,
      endedAt: this.#end?.at.toISOString() ?? null,
      stoppedBy: this.#stop && this.#state !== 'done' ? this.#stop.by : null,
      error: this.error && errorOf(this.error),
    }
  }

  /** Only jobs whose bytes pass a flow can be paused or limited. */
  #refuseUnpausable(what: 'paused' | 'limited'): void {
    if (this.kind !== 'upload' && this.kind !== 'export') throw notPausable(what, this.record())
  }

  #become(next: JobState): void {
    if (this.#state === next) return
    this.#check(next)
    this.#state = next
    this.#onChange(this, 'state')
  }

  #check(next: JobState): void {
    if (!mayBecome[this.#state].includes(next)) throw new Error(`A job that is ${this.#state} cannot become ${next}.`)
  }
}
