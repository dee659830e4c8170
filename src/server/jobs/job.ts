import type { JobKind, JobRecord, JobState, Receipt } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { type Deferred, deferred } from './deferred.js'
import { Meter } from './meter.js'
import { Throttle } from './throttle.js'
import { cannotBe, leftBehind, tooLate } from './wording.js'

export interface JobPlan {
  /** A UUID. */
  id: string
  kind: JobKind
  accountId: number
  /** `role:username` */
  account: string
  file?: string | null
  table?: string | null
  totalBytes?: number | null
  /** Of one that an earlier run of the server left interrupted. */
  interrupted?: { startedAt: Date; bytes: number; paused: boolean }
  /** Bytes per second from its first byte on; null, the default, for none. */
  rateLimit?: number | null
}

/** What became of a job, as its owner sees it. */
export type Outcome =
  | { state: 'done' }
  /** `cleanedUp`: false where something is left that could not be removed; default true. */
  | { state: 'failed'; error: Problem; cleanedUp?: boolean }

/** `state`: it changed. `progress`: bytes moved, or the limit was changed. */
export type JobChange = 'state' | 'progress'

/** Why a job's signal aborts when somebody stops it. */
export class Stopped extends Error {
  /** `role:username` */
  readonly by: string

  constructor(by: string) {
    super(`The job was stopped by ${by}.`)
    this.name = 'Stopped'
    this.by = by
  }
}

/**
 * One run of an upload, export, import or query: its record and its state machine. Whoever moves the bytes owns the
 * stream, listens to `signal`, and calls `end` once nothing is left to clean up.
 */
export class Job {
  readonly id: string
  readonly kind: JobKind
  readonly accountId: number
  readonly account: string
  readonly throttle: Throttle
  file: string | null
  table: string | null
  rows: number | null = null

  readonly #meter = new Meter()
  readonly #controller = new AbortController()
  readonly #onChange: (job: Job, change: JobChange) => void
  readonly #ended = deferred()
  #unpaused: Deferred<void> = deferred()
  #wasPaused = false
  #state: JobState = 'waiting'
  #totalBytes: number | null
  #startedAt: Date | null = null
  #endedAt: Date | null = null
  #stop: { by: string; at: Date; began: number } | null = null
  #endedAtMs = 0
  #error: Problem | null = null
  #cleanedUp = true

  constructor(plan: JobPlan, onChange: (job: Job, change: JobChange) => void) {
    this.id = plan.id
    this.kind = plan.kind
    this.accountId = plan.accountId
    this.account = plan.account
    this.file = plan.file ?? null
    this.table = plan.table ?? null
    this.throttle = new Throttle(plan.rateLimit ?? null)
    this.#totalBytes = plan.totalBytes ?? null
    this.#onChange = onChange
    if (!plan.interrupted) return
    this.#state = 'interrupted'
    this.#startedAt = plan.interrupted.startedAt
    this.#meter.restart(plan.interrupted.bytes)
    this.#wasPaused = plan.interrupted.paused
  }

  get state(): JobState {
    return this.#state
  }

  /** Whether it is paused, or will be when its sender is back. */
  get isHeld(): boolean {
    return this.#state === 'paused' || this.#wasPaused
  }

  /** Aborts with `Stopped`, or with the `Problem` that fails the job. */
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
    return this.#endedAt !== null
  }

  get error(): Problem | null {
    return this.#error
  }

  /** Resolves when the job has ended, whatever the end. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Resolves when it is not paused; at once where it is not. */
  get unpaused(): Promise<void> {
    return this.#state === 'paused' ? this.#unpaused.promise : Promise.resolve()
  }

  start(): void {
    this.#startedAt ??= new Date()
    this.#become('running')
    // Whoever paused it has not resumed it: that its sender came back changes nothing.
    if (this.#wasPaused) this.pause()
    this.#wasPaused = false
  }

  count(bytes: number): void {
    this.#meter.count(bytes)
    this.#onChange(this, 'progress')
  }

  /** Sets the bytes to an offset: where a resumed upload goes on, or falls back to. */
  countFrom(offset: number): void {
    this.#meter.restart(offset)
    this.#onChange(this, 'progress')
  }

  /** Pausing a paused job is not an error. Throws `not-running` and `not-pausable`. */
  pause(): void {
    if (this.#state === 'paused') return
    this.#refuseUnpausable('paused')
    if (this.#state !== 'running') throw cannotBe('paused', this.record())
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
    if (this.#state !== 'paused') throw cannotBe('resumed', this.record())
    this.#become('running')
    this.#unpaused.resolve()
  }

  /** The sender of a resumable upload went away. One that was paused will be so again, unless it is resumed meanwhile. */
  interrupt(): void {
    this.#wasPaused = this.#state === 'paused'
    this.#unpaused.resolve()
    this.#become('interrupted')
  }

  /** Bytes per second from now on, null for none. Throws `not-running` and `not-pausable`. */
  limitRate(bytesPerSecond: number | null): void {
    if (this.isEnded) throw cannotBe('limited', this.record())
    this.#refuseUnpausable('limited')
    this.throttle.bytesPerSecond = bytesPerSecond
    this.#onChange(this, 'progress')
  }

  /** The point of no return before a publish. Throws the abort's reason when a stop came first. */
  commit(): void {
    this.signal.throwIfAborted()
    this.#unpaused.resolve()
    if (this.#state === 'paused') this.#become('running')
    this.#become('committing')
  }

  /**
   * Stops the job and resolves when its owner has cleaned up. A stopped job gives its receipt again. Throws
   * `already-published` when it is too late, also while committing, unless that publish then fails; `not-running` when
   * the job failed.
   */
  async stop(by: string): Promise<Receipt> {
    if (this.isEnded) return this.receipt()
    const request = { by, at: new Date(), began: performance.now() }
    if (this.#state !== 'committing') {
      this.#stop ??= request
      this.#controller.abort(new Stopped(by))
    }
    await this.ended
    if (this.#state === 'failed') this.#stop ??= request
    return this.receipt()
  }

  /** The answer to a stop. Throws `already-published` or `not-running` when the job was not stopped. */
  receipt(): Receipt {
    if (!this.#stop || !this.isEnded || this.#state === 'done') throw tooLate(this.record())
    const { by, at, began } = this.#stop
    const rest = this.#cleanedUp ? leftBehind[this.kind] : 'nothing was published, but what had arrived is still there.'
    return {
      message: `Stopped the ${this.kind}${this.file ? ` of ${this.file}` : ''}: ${rest}`,
      job: this.record(),
      stoppedBy: by,
      stoppedAt: at.toISOString(),
      bytesDiscarded: this.kind === 'upload' ? this.bytes : 0,
      cleanedUp: this.#cleanedUp,
      tookMs: Math.round((this.#endedAtMs - began) * 10) / 10,
    }
  }

  /** Makes the owner give up, because of something that went wrong elsewhere: a stall, a shutdown. */
  abort(error: Problem): void {
    this.#controller.abort(error)
  }

  /** Called once by the owner when it has cleaned up, or could not. A stop that came in time wins over any failure. */
  end(outcome: Outcome): void {
    if (this.isEnded) return
    const stopped = this.signal.reason instanceof Stopped && outcome.state !== 'done'
    this.#endedAt = new Date()
    this.#endedAtMs = performance.now()
    if (!stopped && outcome.state === 'failed') this.#error = outcome.error
    if (outcome.state === 'failed') this.#cleanedUp = outcome.cleanedUp ?? true
    if (outcome.state === 'done') this.#totalBytes ??= this.bytes
    this.#unpaused.resolve()
    this.#become(stopped ? 'stopped' : outcome.state)
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
      rate: moving ? this.#meter.rate() : null,
      rateLimit: this.throttle.bytesPerSecond,
      startedAt: this.#startedAt?.toISOString() ?? null,
      endedAt: this.#endedAt?.toISOString() ?? null,
      stoppedBy: this.#stop && this.#state !== 'done' ? this.#stop.by : null,
      error: this.#error && {
        ...this.#error.details,
        code: this.#error.code,
        message: this.#error.message,
        status: this.#error.status,
      },
    }
  }

  /** Only what passes a flow can be held back. */
  #refuseUnpausable(what: 'paused' | 'limited'): void {
    if (this.kind === 'upload' || this.kind === 'export') return
    const words = `A job of the kind ${this.kind} cannot be ${what}; it can be stopped.`
    throw new Problem('not-pausable', words, { job: this.record() })
  }

  #become(next: JobState): void {
    if (this.#state === next) return
    if (!mayBecome[this.#state].includes(next)) throw new Error(`A job that is ${this.#state} cannot become ${next}.`)
    this.#state = next
    this.#onChange(this, 'state')
  }
}

const mayBecome: Record<JobState, JobState[]> = {
  waiting: ['running', 'stopped', 'failed'],
  running: ['paused', 'interrupted', 'committing', 'done', 'stopped', 'failed'],
  paused: ['running', 'interrupted', 'done', 'stopped', 'failed'],
  interrupted: ['running', 'stopped', 'failed'],
  committing: ['done', 'failed'],
  done: [],
  stopped: [],
  failed: [],
}

/** To a tenth, null where the total is not known. */
export function percentOf(bytes: number, total: number | null, state: JobState): number | null {
  if (total === null) return null
  if (total === 0) return state === 'done' ? 100 : 0
  return Math.min(100, Math.floor((bytes / total) * 1000) / 10)
}
