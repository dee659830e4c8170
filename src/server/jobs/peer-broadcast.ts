import type { JobRecord, JobState } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import { type Bus, type JobProgress, jobMessage } from '../stores/bus.js'
import type { Job, JobChange } from './job.js'
import type { Jobs } from './jobs.js'
import { listeningMs } from './peer-jobs.js'

export interface PeerBroadcastOptions {
  bus: Bus
  jobs: Pick<Jobs, 'observe' | 'unfinished' | 'save'>
  clock: Clock
}

/**
 * Tells the other servers about the jobs of this one: each change of state, and about four times a second, in few messages, the
 * progress of those that have listeners there.
 */
export class PeerBroadcast {
  readonly #options: PeerBroadcastOptions
  /** By account; null for all. */
  readonly #wantedUntil = new Map<number | null, number>()
  readonly #progressed = new Set<Job>()
  readonly #told = new WeakMap<Job, Told>()
  #cancelTick: (() => void) | null = null

  constructor(options: PeerBroadcastOptions) {
    this.#options = options
    const { bus, jobs } = options
    jobs.observe((job, change) => this.#onChange(job, change))
    bus.onMessage((message) => {
      if ('listening' in message) this.#want(message.listening)
    })
  }

  #onChange(job: Job, change: JobChange): void {
    if (change === 'state') this.#tellState(job)
    else if (this.#wantedUntil.size > 0) this.#note(job)
  }

  #tellState(job: Job): void {
    const { bus, jobs } = this.#options
    const record = job.record()
    const before = this.#told.get(job)?.state
    this.#told.set(job, { state: record.state, changes: changesOf(record) })
    this.#progressed.delete(job)
    if (!job.isEnded) {
      // For servers that start later, or miss this.
      const isKept = lasting.includes(record.state) || (before && lasting.includes(before))
      if (isKept) void jobs.save(job)
      const message = jobMessage(record, job.accountId)
      if ('job' in message) {
        bus.tell('all', message)
        return
      }
    }
    if (job.isEnded) this.#told.delete(job)
    // Who hears of it reads the history.
    void jobs.save(job).then(() => bus.tell('all', jobMessage(record, job.accountId)))
  }

  #want(accounts: number[] | null): void {
    const until = this.#options.clock.monotonicMs() + 1.5 * listeningMs
    const isNew = (accounts ?? [null]).some((account) => !this.#isWanted(account))
    for (const account of accounts ?? [null]) this.#wantedUntil.set(account, until)
    if (!isNew) return
    for (const job of this.#options.jobs.unfinished()) if (job.state === 'running') this.#progressed.add(job)
    this.#tellProgress()
  }

  #isWanted(account: number | null): boolean {
    return this.#wantedUntil.has(account) || this.#wantedUntil.has(null)
  }

  #note(job: Job): void {
    this.#progressed.add(job)
    this.#cancelTick ??= this.#options.clock.after(progressMs, () => this.#tellProgress())
  }

  #tellProgress(): void {
    this.#cancelTick?.()
    this.#cancelTick = null
    const now = this.#options.clock.monotonicMs()
    for (const [account, until] of this.#wantedUntil) if (until < now) this.#wantedUntil.delete(account)
    const jobs = [...this.#progressed].filter((job) => !job.isEnded && this.#isWanted(job.accountId))
    this.#progressed.clear()
    const progress = jobs.map((job) => this.#progressOf(job))
    for (let at = 0; at < progress.length; at += perMessage) {
      this.#options.bus.tell('all', { progress: progress.slice(at, at + perMessage) })
    }
    // Until the rate is 0, as for listeners of this server.
    for (const [index, job] of jobs.entries()) if (progress[index]![2]) this.#note(job)
  }

  #progressOf(job: Job): JobProgress {
    const record = job.record()
    const { id, bytes, rate, state } = record
    const changes = changesOf(record)
    const isSame = JSON.stringify(changes) === JSON.stringify(this.#told.get(job)?.changes)
    if (isSame) return [id, bytes, rate]
    this.#told.set(job, { state, changes })
    return [id, bytes, rate, changes]
  }
}

interface Told {
  state: JobState
  changes: Partial<JobRecord>
}

/** What may change with progress, besides the bytes. Of the failed files, the first ones come with the next state. */
function changesOf({ totalBytes, rateLimit, files }: JobRecord): Partial<JobRecord> {
  return { totalBytes, rateLimit, files: files && { ...files, failures: [] } }
}

const lasting: JobState[] = ['paused', 'interrupted']
const progressMs = 260
const perMessage = 25
