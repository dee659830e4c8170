import type { JobDetailsRecord, JobEvent, JobKind, JobRecord, JobState } from '../protocol/jobs.js'
import { jobPath } from '../protocol/routes.js'
import type { StreamingApi } from './api.js'
import { readEvents } from './job-events.js'
import { listJobs } from './listing.js'

export interface JobSelection {
  state?: JobState | readonly JobState[]
  kind?: JobKind
  /** Those of every account (admins only). */
  all?: boolean
  /** Those of `role:username`, for admins. */
  account?: string
  /** The code of a failure. */
  error?: string
  /** Jobs that ended then or later, or have not ended. */
  from?: Date
  /** The number of jobs; default: no limit. */
  limit?: number
}

export interface WatchSettings {
  /** Jobs of every account (admins only). */
  all?: boolean
  /** Ends the loop without an error. */
  signal?: AbortSignal
}

/** The jobs of the account. */
export class AccountJobs {
  readonly #api: StreamingApi

  constructor(api: StreamingApi) {
    this.#api = api
  }

  /** Newest first; fetched a page at a time. */
  list({ state, from, limit, ...rest }: JobSelection = {}): AsyncGenerator<JobRecord> {
    const states = typeof state === 'string' ? state : state?.join(',')
    return listJobs(this.#api, { ...rest, state: states, from: from?.toISOString() }, limit)
  }

  /** Throws `job-not-found`. */
  get(id: string): Promise<JobDetailsRecord> {
    return this.#api.send('GET', jobPath(id))
  }

  /**
   * Every unfinished job, and then each change, as it happens. A broken connection is resumed after the last event. Ends
   * with the loop, or with the signal.
   */
  async *watch({ all = false, signal }: WatchSettings = {}): AsyncGenerator<JobEvent> {
    const never = new AbortController()
    yield* readEvents({ api: this.#api, all, signal: signal ?? never.signal, onBroken() {} })
  }
}
