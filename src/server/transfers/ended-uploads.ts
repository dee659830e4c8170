import type { JobRecord } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import type { Jobs } from '../jobs/jobs.js'
import type { KeepLimits } from '../jobs/resumable-lifetime.js'
import { runJob } from '../jobs/run-job.js'
import type { Account } from '../stores/accounts.js'
import type { StoredFile } from '../stores/files.js'
import { jobIdUsed } from '../stores/slot-problems.js'
import { undefinedIfUsed } from './kept-uploads.js'
import type { UploadProgress } from './resumable-services.js'
import { type NamedCreation, planOfNew } from './upload-creation.js'
import { uploadNotFound } from './upload-problems.js'

/**
 * The resumable uploads that have ended. A published one keeps its full progress for a while; later, and after a restart,
 * only the job's record is left.
 */
export class EndedUploads {
  readonly #jobs: Pick<Jobs, 'findRecord' | 'register'>
  readonly #keepMs: number
  readonly #clock: Clock
  readonly #published = new Map<string, { accountId: number; until: number; progress: UploadProgress }>()

  constructor(
    jobs: Pick<Jobs, 'findRecord' | 'register'>,
    { keepPartialMs, clock }: Pick<KeepLimits, 'keepPartialMs' | 'clock'>,
  ) {
    this.#jobs = jobs
    this.#keepMs = keepPartialMs
    this.#clock = clock
  }

  /** Keeps the progress of a published upload, for a client that missed the response. */
  add(accountId: number, progress: UploadProgress): void {
    this.#published.set(progress.id, { accountId, until: this.#clock.monotonicMs() + this.#keepMs, progress })
    const [oldest] = this.#published.keys()
    if (this.#published.size > maxPublished && oldest !== undefined) this.#published.delete(oldest)
  }

  /** Whether it is known as published. */
  has(id: string): boolean {
    return this.#published.has(id)
  }

  /** How the upload ended. Throws `upload-not-found` for one that is unknown, unfinished or another account's. */
  async get(id: string, account: Account): Promise<UploadProgress | JobRecord> {
    const published = this.#published.get(id)
    if (published && published.until > this.#clock.monotonicMs()) {
      if (published.accountId !== account.id) throw uploadNotFound(id)
      return published.progress
    }
    const found = await this.#jobs.findRecord(id)
    if (!found?.job.endedAt || found.accountId !== account.id || found.job.kind !== 'upload') throw uploadNotFound(id)
    const { job } = found
    if (job.state !== 'done' || Date.parse(found.job.endedAt) + this.#keepMs < this.#clock.now()) return job
    return { id, offset: job.bytes, length: job.bytes, metadata: '', expiresAt: null, published: null }
  }

  /**
   * Adds an upload whose file was there before it, as a job that is done at once, so that all servers know of it. A job that has
   * its id already stays. Throws `job-id-used` where that is of another account.
   */
  async addKnown(id: string, creation: NamedCreation, there: StoredFile): Promise<UploadProgress> {
    const { identity, length, metadata } = creation
    const { account } = identity
    await this.#checkOwn(id, account)
    const recorded = await runJob(this.#jobs.register(planOfNew(id, creation)), async ({ job, start }) => {
      start()
      job.countFrom(there.size)
      job.commit()
    }).catch(undefinedIfUsed)
    await recorded?.result
    const progress = { id, offset: there.size, length, metadata, expiresAt: null, published: there }
    this.add(account.id, progress)
    return progress
  }

  /** Throws where the id is that of another account's upload, whose end it would hide. */
  async #checkOwn(id: string, account: Account): Promise<void> {
    const owner = this.#published.get(id)?.accountId ?? (await this.#jobs.findRecord(id))?.accountId
    if (owner !== undefined && owner !== account.id) throw jobIdUsed(id)
  }
}

const maxPublished = 1000
