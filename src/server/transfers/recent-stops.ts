import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import type { Job } from '../jobs/job.js'
import { Stopped } from '../jobs/stop.js'

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
  readonly #clock: Clock
  readonly #stops = new Map<string, Stop>()
  readonly #repeats = new Map<string, Stop>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  remember(reader: ExportReader, job: Job): void {
    const now = this.#clock.monotonicMs()
    for (const stops of [this.#stops, this.#repeats]) {
      for (const [known, { until }] of stops) if (until < now) stops.delete(known)
    }
    if (!(job.signal.reason instanceof Stopped)) return
    this.#stops.set(keyOf(reader), { job, until: now + rangeMs })
    if (reader.repeater !== null) this.#repeats.set(repeatKeyOf(reader), { job, until: now + repeatMs })
  }

  /** A new export of the whole file has started: ranges may belong to it. */
  forget(reader: ExportReader): void {
    this.#stops.delete(keyOf(reader))
  }

  /**
   * Throws `job-stopped` for a request that would resume or repeat a stopped export. Asynchronous, because another node
   * may have stopped it.
   */
  async check(reader: ExportReader, start: number): Promise<void> {
    const stop = start > 0 ? this.#stops.get(keyOf(reader)) : this.#repeats.get(repeatKeyOf(reader))
    const waitMs = (stop?.until ?? 0) - this.#clock.monotonicMs()
    if (!stop || waitMs < 0 || (start === 0 && reader.repeater === null)) return
    const { stoppedBy } = stop.job.record()
    const advice =
      start > 0 ? 'a new one begins at byte 0' : `it can begin anew in ${Math.max(1, Math.ceil(waitMs / 1000))} s`
    const message = `The export of ${stop.job.file} was stopped by ${stoppedBy}; ${advice}.`
    throw new Problem('job-stopped', message, { stoppedBy, job: stop.job.record() })
  }
}

interface Stop {
  job: Job
  /** By `Clock.monotonicMs`. */
  until: number
}

const rangeMs = 60_000
const repeatMs = 3_000

function keyOf({ sessionId, name }: ExportReader): string {
  return `${sessionId}\n${name}`
}

function repeatKeyOf(reader: ExportReader): string {
  return `${keyOf(reader)}\n${reader.repeater}`
}
