import { randomBytes } from 'node:crypto'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type EventFormat, formatEvent, formatHeartbeat } from './event-format.js'
import { EventLog } from './event-log.js'
import type { Job, JobChange } from './job.js'

export interface Listening {
  /** The account id whose jobs to send; null: all accounts. */
  accountId: number | null
  format: EventFormat
  /** The id of the last received event; undefined for a new listener. */
  after: string | undefined
  /** Called when there may be something to read. */
  onNews(): void
  /** Called when the feed ends: the server is shutting down. */
  onEnd(): void
}

export type WatchedJob = Pick<Job, 'accountId' | 'record'>

/** Whose changes are told. */
export interface JobSource {
  /** Returns a function that removes the observer. */
  observe(observer: (job: WatchedJob, change: JobChange) => void): () => void
  /** The unfinished jobs. */
  unfinished(): WatchedJob[]
}

export interface JobFeedOptions {
  clock: Clock
  logBytes?: number
  /** Called when there is a new listener. */
  onListen?: () => void
}

/** A listener's position in the feed. It reads when it can, so that nothing is stored for a slow one. */
export interface FeedReader {
  /** The next events, about 256 KiB at most; null if there are none. */
  read(): Buffer | null
  /** A heartbeat for a listener that has read everything. */
  heartbeat(): string
  close(): void
}

/**
 * The live events of all jobs. Each change of state is an event; progress is reported at most four times a second for
 * each job. Every event is formatted once for all listeners, into a log of the latest events that each listener reads at
 * its own position. A slow listener whose position is no longer in the log gets a `resync`.
 */
export class JobFeed {
  readonly #boot = randomBytes(6).toString('hex')
  readonly #jobs: JobSource
  readonly #clock: Clock
  readonly #log: EventLog
  readonly #endObservation: () => void
  readonly #onListen: () => void
  readonly #listeners = new Set<Listening>()
  readonly #progressed = new Set<WatchedJob>()
  readonly #batches = new Map<string, Batch>()
  #seq = 0
  #telling = false
  #closed = false
  #cancelProgress: (() => void) | null = null
  #progressAt = Number.NEGATIVE_INFINITY

  constructor(jobs: JobSource, { clock, logBytes = 8 * 1024 ** 2, onListen = () => {} }: JobFeedOptions) {
    this.#onListen = onListen
    this.#jobs = jobs
    this.#clock = clock
    this.#log = new EventLog(logBytes)
    this.#endObservation = jobs.observe((job, change) => this.#note(job, change))
  }

  /** Throws `shutting-down` after `close`. */
  listen(listening: Listening): FeedReader {
    if (this.#closed) throw new Problem('shutting-down', 'The server is shutting down: listen again when it is back.')
    const { accountId, format, after } = listening
    this.#listeners.add(listening)
    this.#onListen()
    this.#gatherProgress()
    let place = after === undefined ? undefined : this.#placeOf(after)
    let isNew = after === undefined
    return {
      read: () => {
        if (place === undefined || !this.#log.reaches(place)) {
          const start = this.#startAnew(accountId, format, !isNew)
          place = start.end
          isNew = false
          if (start.text !== '') return Buffer.from(start.text)
        }
        while (place < this.#log.end) {
          const batch: Batch = this.#batchAfter(place, accountId, format)
          place = batch.end
          if (batch.bytes.length > 0) return batch.bytes
        }
        return null
      },
      heartbeat: () => formatHeartbeat(format, this.#idOf(place ?? this.#log.end)),
      close: () => {
        this.#listeners.delete(listening)
      },
    }
  }

  /** The account ids that have listeners; null: a listener to all accounts. */
  audience(): Set<number | null> {
    return new Set([...this.#listeners].map(({ accountId }) => accountId))
  }

  /** Changes were missed: every listener gets a `resync`. */
  resync(): void {
    this.#log.clear(++this.#seq)
    this.#batches.clear()
    this.#tellSoon()
  }

  /** Ends every stream. */
  close(): void {
    this.#closed = true
    this.#endObservation()
    this.#cancelProgress?.()
    for (const { onEnd } of [...this.#listeners]) onEnd()
    this.#listeners.clear()
  }

  #note(job: WatchedJob, change: JobChange): void {
    if (change === 'state') this.#append(job)
    else this.#progressed.add(job)
    this.#gatherProgress()
  }

  #append(job: WatchedJob): void {
    this.#progressed.delete(job)
    const record = job.record()
    this.#seq++
    this.#log.append({ seq: this.#seq, accountId: job.accountId, job: JSON.stringify(record) })
    this.#batches.clear()
    // Repeated until it is 0: otherwise the rate of a job without progress would be shown forever.
    if (record.rate) this.#progressed.add(job)
    this.#tellSoon()
  }

  /** Without listeners, progress waits for the first one. */
  #gatherProgress(): void {
    if (this.#cancelProgress || this.#progressed.size === 0 || this.#listeners.size === 0) return
    const waitMs = Math.max(0, this.#progressAt + progressMs - this.#clock.monotonicMs())
    this.#cancelProgress = this.#clock.after(waitMs, () => {
      this.#cancelProgress = null
      this.#progressAt = this.#clock.monotonicMs()
      for (const job of [...this.#progressed]) this.#append(job)
      this.#gatherProgress()
    })
  }

  /** Changes at the same time are sent together. */
  #tellSoon(): void {
    if (this.#telling || this.#listeners.size === 0) return
    this.#telling = true
    setImmediate(() => {
      this.#telling = false
      for (const { onNews } of [...this.#listeners]) onNews()
    })
  }

  /**
   * A snapshot of every unfinished job of all servers, in the order of their starts. Each has its own id, but only the
   * last one's is a position to resume from: a client that is disconnected before has not seen all of them.
   */
  #startAnew(accountId: number | null, format: EventFormat, resync: boolean): { text: string; end: number } {
    const jobs = this.#jobs.unfinished().filter((job) => accountId === null || job.accountId === accountId)
    const records = jobs.map((job) => job.record()).sort(byStart)
    const frames = records.map((record) => ['snapshot', JSON.stringify(record)] as const)
    const all = resync ? [['resync', 'null'] as const, ...frames] : frames
    if (all.length === 0) return { text: '', end: this.#log.end }
    const text = all.map(([event, job]) => formatEvent(format, this.#idOf(++this.#seq), event, job)).join('')
    this.#log.append({ seq: this.#seq, accountId: null, job: '' })
    this.#batches.clear()
    return { text, end: this.#seq }
  }

  /** All listeners at the same position get the same bytes. */
  #batchAfter(seq: number, accountId: number | null, format: EventFormat): Batch {
    const key = `${seq} ${accountId} ${format}`
    const known = this.#batches.get(key)
    if (known) return known
    let text = ''
    let end = seq
    for (const event of this.#log.after(seq)) {
      end = event.seq
      if (event.accountId === null || (accountId !== null && event.accountId !== accountId)) continue
      text += formatEvent(format, this.#idOf(event.seq), 'job', event.job)
      if (text.length >= batchLength) break
    }
    const batch = { bytes: Buffer.from(text), end }
    if (this.#batches.size < batchesKept) this.#batches.set(key, batch)
    return batch
  }

  #idOf(seq: number): string {
    return `${this.#boot}-${seq}`
  }

  /** undefined if the id is unknown, of another run of the server, or too old. */
  #placeOf(id: string): number | undefined {
    const match = /^([0-9a-f]+)-(\d{1,15})$/.exec(id)
    const seq = match?.[1] === this.#boot ? Number(match[2]) : undefined
    return seq !== undefined && this.#log.reaches(seq) ? seq : undefined
  }
}

/** Jobs that wait for a slot are last, in the order in which they came. */
function byStart({ startedAt: first }: JobRecord, { startedAt: second }: JobRecord): number {
  if (first === second) return 0
  if (first === null || second === null) return first === null ? 1 : -1
  return first < second ? -1 : 1
}

interface Batch {
  bytes: Buffer
  /** The number of the last included event. */
  end: number
}

/** Slightly more than a quarter of a second: no second has more than four of them. */
const progressMs = 260
const batchLength = 256 * 1024
const batchesKept = 100
