import { randomBytes } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import { type EventFormat, formatEvent, formatHeartbeat } from './event-format.js'
import { EventLog } from './event-log.js'
import type { Job, JobChange } from './job.js'
import type { Jobs } from './jobs.js'

export interface Listening {
  /** Whose jobs, by the account's id; null: everybody's. */
  accountId: number | null
  format: EventFormat
  /** The id of the last event that was received; undefined for one who begins. */
  after: string | undefined
  /** There may be something to read. */
  onNews(): void
  /** The feed ends: the server is shutting down. */
  onEnd(): void
}

/** A listener's place in the feed. It reads when it can, so that nothing is stored for one that cannot. */
export interface Reader {
  /** What comes next, about 256 KiB at most; null when there is nothing new. */
  read(): Buffer | null
  /** The sign of life for one who has read everything. */
  heartbeat(): string
  close(): void
}

/**
 * The live events of all jobs. Each change of state is an event, progress is gathered to at most four events a second
 * for each job; every event is worded once, whoever listens. A log of the latest events serves all: those who keep up,
 * those who come back, and slow ones, which fall behind until the log has forgotten what they need; then they start anew.
 */
export class JobFeed {
  readonly #boot = randomBytes(6).toString('hex')
  readonly #jobs: Pick<Jobs, 'observe' | 'unfinished'>
  readonly #log: EventLog
  readonly #endObservation: () => void
  readonly #listeners = new Set<Listening>()
  readonly #progressed = new Set<Job>()
  readonly #batches = new Map<string, Batch>()
  #seq = 0
  #telling = false
  #closed = false
  #progressTimer: NodeJS.Timeout | null = null
  #progressAt = 0

  constructor(jobs: Pick<Jobs, 'observe' | 'unfinished'>, { logBytes = 8 * 1024 ** 2 }: { logBytes?: number } = {}) {
    this.#jobs = jobs
    this.#log = new EventLog(logBytes)
    this.#endObservation = jobs.observe((job, change) => this.#note(job, change))
  }

  /** Throws `shutting-down` after `close`. */
  listen(listening: Listening): Reader {
    if (this.#closed) throw new Problem('shutting-down', 'The server is shutting down: listen again when it is back.')
    const { accountId, format, after } = listening
    this.#listeners.add(listening)
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

  /** Ends every stream. */
  close(): void {
    this.#closed = true
    this.#endObservation()
    if (this.#progressTimer) clearTimeout(this.#progressTimer)
    for (const { onEnd } of [...this.#listeners]) onEnd()
    this.#listeners.clear()
  }

  #note(job: Job, change: JobChange): void {
    if (change === 'state') this.#append(job)
    else this.#progressed.add(job)
    this.#gatherProgress()
  }

  #append(job: Job): void {
    this.#progressed.delete(job)
    const record = job.record()
    this.#seq++
    this.#log.append({ seq: this.#seq, accountId: job.accountId, job: JSON.stringify(record) })
    this.#batches.clear()
    // Told until it is 0: else the rate of a job that stands still would be shown for ever.
    if (record.rate) this.#progressed.add(job)
    this.#tellSoon()
  }

  /** While nobody listens, progress waits for the first who does. */
  #gatherProgress(): void {
    if (this.#progressTimer || this.#progressed.size === 0 || this.#listeners.size === 0) return
    const waitMs = Math.max(0, this.#progressAt + progressMs - performance.now())
    this.#progressTimer = setTimeout(() => {
      this.#progressTimer = null
      this.#progressAt = performance.now()
      for (const job of [...this.#progressed]) this.#append(job)
      this.#gatherProgress()
    }, waitMs)
    this.#progressTimer.unref()
  }

  /** Changes that come together are sent together. */
  #tellSoon(): void {
    if (this.#telling || this.#listeners.size === 0) return
    this.#telling = true
    setImmediate(() => {
      this.#telling = false
      for (const { onNews } of [...this.#listeners]) onNews()
    })
  }

  /**
   * A snapshot of every unfinished job. Each has an id of its own, but only the last one's is a place to go on from: one
   * who was cut off before has not seen them all.
   */
  #startAnew(accountId: number | null, format: EventFormat, resync: boolean): { text: string; end: number } {
    const jobs = this.#jobs.unfinished().filter((job) => accountId === null || job.accountId === accountId)
    const frames = jobs.map((job) => ['snapshot', JSON.stringify(job.record())] as const)
    const all = resync ? [['resync', 'null'] as const, ...frames] : frames
    if (all.length === 0) return { text: '', end: this.#log.end }
    const text = all.map(([event, job]) => formatEvent(format, this.#idOf(++this.#seq), event, job)).join('')
    this.#log.append({ seq: this.#seq, accountId: null, job: '' })
    this.#batches.clear()
    return { text, end: this.#seq }
  }

  /** All who are at the same place get the same bytes. */
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

  /** undefined where the id is unknown, of another run of the server, or too old. */
  #placeOf(id: string): number | undefined {
    const match = /^([0-9a-f]+)-(\d{1,15})$/.exec(id)
    const seq = match?.[1] === this.#boot ? Number(match[2]) : undefined
    return seq !== undefined && this.#log.reaches(seq) ? seq : undefined
  }
}

interface Batch {
  bytes: Buffer
  /** The number of the last event that it covers. */
  end: number
}

/** A little more than a quarter of a second: no second has more than four of them. */
const progressMs = 260
const batchLength = 256 * 1024
const batchesKept = 100
