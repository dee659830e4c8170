import { Problem } from '../../protocol/problems.js'
import type { HistoryEntry, JobHistory } from '../stores/history.js'
import type { JobFilter } from '../stores/job-filter.js'
import type { Job } from './job.js'
import { type JobPage, pageOfJobs } from './job-page.js'

/** The history of jobs, whose readers wait for ends that are being recorded. */
export class JobRecords {
  readonly #history: JobHistory
  readonly #recording = new Map<string, Promise<void>>()

  constructor(history: JobHistory) {
    this.#history = history
  }

  /** Records the job for the next start of the server, in case this process does not record its end. */
  async note(job: Job, seq: number): Promise<void> {
    await this.#history.note({ ...entryOf(job), seq })
  }

  end(job: Job, seq: number): void {
    const { receipt } = job
    const published = job.files ? { published: job.files.publication } : {}
    const uploaded = job.uploaded ? { uploaded: job.uploaded } : {}
    const recorded = this.#history
      .end({ ...entryOf(job), seq, ...(receipt && { receipt }), ...published, ...uploaded })
      .finally(() => this.#recording.delete(job.id))
    this.#recording.set(job.id, recorded)
  }

  /** Resolves when the end of the job is recorded, if it has ended. */
  async settled(id: string): Promise<void> {
    await this.#recording.get(id)
  }

  async find(id: string): Promise<HistoryEntry | undefined> {
    await this.settled(id)
    return this.#history.find(id)
  }

  /** Throws `job-not-found`. */
  async get(id: string): Promise<HistoryEntry> {
    const entry = await this.find(id)
    if (!entry) throw new Problem('job-not-found', `There is no job "${id}".`)
    return entry
  }

  /** `unfinished` is called before the history is read: a job that ends meanwhile is in either or both. */
  async page(unfinished: () => Promise<Parameters<typeof pageOfJobs>[0]>, filter: JobFilter): Promise<JobPage> {
    await Promise.all(this.#recording.values())
    return pageOfJobs(await unfinished(), this.#history, filter)
  }
}

function entryOf(job: Job): Omit<HistoryEntry, 'seq'> {
  const query = job.query === null ? {} : { query: job.query }
  return { accountId: job.accountId, job: job.record(), ...query }
}
