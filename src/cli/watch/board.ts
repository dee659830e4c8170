import type { JobEvent, JobRecord } from '../../protocol/jobs.js'

export interface BoardFilter {
  /** States, separated by commas. */
  state?: string | undefined
  kind?: string | undefined
}

/** The known jobs: from the events, and from a list that was requested after they had started. */
export class JobBoard {
  readonly #filter: BoardFilter
  readonly #jobs = new Map<string, JobRecord>()

  constructor(filter: BoardFilter) {
    this.#filter = filter
  }

  apply({ event, job }: JobEvent): void {
    if (event === 'resync') this.#jobs.clear()
    if (!job) return
    // Moved to the end: the job that ended last is discarded last.
    this.#jobs.delete(job.id)
    this.#jobs.set(job.id, job)
    if (this.#jobs.size > mostJobs) this.#forgetEnded()
  }

  /** Adds jobs that had no event: events are newer than any list. */
  addListed(jobs: readonly JobRecord[]): void {
    for (const job of jobs) if (!this.#jobs.has(job.id)) this.#jobs.set(job.id, job)
  }

  find(id: string): JobRecord | undefined {
    return this.#jobs.get(id)
  }

  /** Whether a job matches the filter. */
  shows(job: JobRecord): boolean {
    const { state, kind } = this.#filter
    return (kind === undefined || job.kind === kind) && (state === undefined || state.split(',').includes(job.state))
  }

  /** The jobs to show: unfinished ones first, and of the rest the newest. */
  rows(): JobRecord[] {
    return [...this.#jobs.values()].filter((job) => this.shows(job)).sort(byUrgency)
  }

  #forgetEnded(): void {
    for (const job of this.#jobs.values()) {
      if (job.endedAt === null) continue
      this.#jobs.delete(job.id)
      return
    }
  }
}

const mostJobs = 2000

function byUrgency(a: JobRecord, b: JobRecord): number {
  if ((a.endedAt === null) !== (b.endedAt === null)) return a.endedAt === null ? -1 : 1
  return timeOf(b).localeCompare(timeOf(a)) || a.id.localeCompare(b.id)
}

/** A waiting job has not started: it is newer than all that have. */
function timeOf(job: JobRecord): string {
  return job.endedAt ?? job.startedAt ?? '9999'
}
