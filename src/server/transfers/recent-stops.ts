import { createHash } from 'node:crypto'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import type { Job } from '../jobs/job.js'
import { Stopped } from '../jobs/stop.js'
import type { BusMessage, StoppedExport } from '../stores/bus.js'

/** Identifies a client that reads a file. */
export interface ExportReader {
  sessionId: string
  /** The file's name, as the client requested it. */
  name: string
  /** The program, by its User-Agent, if it may retry an interrupted request; null otherwise. */
  repeater: string | null
}

/**
 * After the stop of an export, programs that retry automatically would take the reset for a network failure, download
 * the rest, and report success. For a minute, ranges that start above 0 are rejected, as wget requests them, until the
 * whole file is requested again; for three seconds the same program is also rejected from byte 0, as `curl --retry` and
 * rclone request it.
 */
export class RecentStops {
  readonly #options: RecentStopsOptions
  readonly #stops = new Map<string, Stop>()
  readonly #repeats = new Map<string, Stop>()

  constructor(options: RecentStopsOptions) {
    this.#options = options
  }

  remember(reader: ExportReader, job: Job): void {
    if (!(job.signal.reason instanceof Stopped)) return
    const keys = { reader: keyOf(reader), repeat: reader.repeater === null ? null : repeatKeyOf(reader) }
    this.#set(keys, async () => job.record())
    this.#options.tell({ stoppedExport: { ...keys, job: job.id } })
  }

  /** What another server remembers. */
  learn({ job, ...keys }: StoppedExport): void {
    this.#set(keys, () => this.#options.findRecord(job))
  }

  /** A new export of the whole file has started: ranges may belong to it. */
  forget(reader: ExportReader): void {
    const key = keyOf(reader)
    if (this.#stops.delete(key)) this.#options.tell({ restartedExport: key })
  }

  /** It was started on another server. */
  forgetKey(key: string): void {
    this.#stops.delete(key)
  }

  /** Throws `job-stopped` for a request that would resume or repeat a stopped export. */
  async check(reader: ExportReader, start: number): Promise<void> {
    const stop = start > 0 ? this.#stops.get(keyOf(reader)) : this.#repeats.get(repeatKeyOf(reader))
    const waitMs = (stop?.until ?? 0) - this.#options.clock.monotonicMs()
    if (!stop || waitMs < 0 || (start === 0 && reader.repeater === null)) return
    const job = await stop.record()
    const advice =
      start > 0 ? 'a new one begins at byte 0' : `it can begin anew in ${Math.max(1, Math.ceil(waitMs / 1000))} s`
    const message = `The export of ${reader.name} was stopped${job ? ` by ${job.stoppedBy}` : ''}; ${advice}.`
    throw new Problem('job-stopped', message, job && { stoppedBy: job.stoppedBy, job })
  }

  #set({ reader, repeat }: Omit<StoppedExport, 'job'>, record: Stop['record']): void {
    const now = this.#options.clock.monotonicMs()
    for (const stops of [this.#stops, this.#repeats]) {
      for (const [known, { until }] of stops) if (until < now) stops.delete(known)
    }
    this.#stops.set(reader, { record, until: now + rangeMs })
    if (repeat !== null) this.#repeats.set(repeat, { record, until: now + repeatMs })
  }
}

export interface RecentStopsOptions {
  clock: Clock
  /** Of a job that has ended. */
  findRecord(id: string): Promise<JobRecord | undefined>
  /** Tells the other servers, where a client may continue. */
  tell(message: BusMessage): void
}

interface Stop {
  record(): Promise<JobRecord | undefined>
  /** By `Clock.monotonicMs`. */
  until: number
}

const rangeMs = 60_000
const repeatMs = 3_000

function keyOf({ sessionId, name }: ExportReader): string {
  return digestOf(`${sessionId}\n${name}`)
}

function repeatKeyOf({ sessionId, name, repeater }: ExportReader): string {
  return digestOf(`${sessionId}\n${name}\n${repeater}`)
}

/** Of any length, it fits into a message. */
function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
