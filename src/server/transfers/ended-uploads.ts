import type { JobRecord } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import { isSameOwner, type JobOwner, ownerOf } from '../jobs/job-owner.js'
import type { Jobs } from '../jobs/jobs.js'
import type { KeepLimits } from '../jobs/resumable-lifetime.js'
import { runJob } from '../jobs/run-job.js'
import type { StoredFile } from '../stores/files.js'
import type { PublishedUpload } from '../stores/history.js'
import { jobIdUsed } from '../stores/slot-problems.js'
import { undefinedIfUsed } from './kept-uploads.js'
import type { UploadProgress } from './resumable-services.js'
import { type NamedCreation, planOfNew } from './upload-creation.js'
import { uploadNotFound } from './upload-problems.js'

/** How a published upload is described by its history. */
export function describePublished(metadata: string, { entityTag, sha256 }: StoredFile): PublishedUpload {
  return { metadata, entityTag, sha256 }
}

/**
 * The resumable uploads that have ended: a published one keeps its progress for a while, for a client that missed the response.
 * Those that are jobs are in the history; those that are part of a job are only known here, until the server ends.
 */
export class EndedUploads {
  readonly #jobs: Pick<Jobs, 'findRecord' | 'findEnded' | 'register'>
  readonly #keepMs: number
  readonly #clock: Clock
  readonly #parts = new Map<string, { owner: JobOwner; until: number; progress: UploadProgress }>()

  constructor(
    jobs: Pick<Jobs, 'findRecord' | 'findEnded' | 'register'>,
    { keepPartialMs, clock }: Pick<KeepLimits, 'keepPartialMs' | 'clock'>,
  ) {
    this.#jobs = jobs
    this.#keepMs = keepPartialMs
    this.#clock = clock
  }

  addPart(owner: JobOwner, progress: UploadProgress): void {
    this.#parts.set(progress.id, { owner, until: this.#clock.monotonicMs() + this.#keepMs, progress })
    const [oldest] = this.#parts.keys()
    if (this.#parts.size > maxParts && oldest !== undefined) this.#parts.delete(oldest)
  }

  hasPart(id: string): boolean {
    return this.#parts.has(id)
  }

  /** How the upload ended. Throws `upload-not-found` for one that is unknown, unfinished or another owner's. */
  async get(id: string, owner: JobOwner): Promise<UploadProgress | JobRecord> {
    const part = this.#parts.get(id)
    if (part && part.until > this.#clock.monotonicMs()) {
      if (!isSameOwner(part.owner, owner)) throw uploadNotFound(id)
      return part.progress
    }
    const found = await this.#jobs.findEnded(id)
    if (!found?.job.endedAt || found.job.kind !== 'upload') throw uploadNotFound(id)
    const { job, accountId, uploaded } = found
    if (!isSameOwner({ accountId, account: job.account }, owner)) throw uploadNotFound(id)
    if (job.state !== 'done' || Date.parse(job.endedAt!) + this.#keepMs < this.#clock.now()) return job
    const { bytes } = job
    // Histories of older versions do not have it.
    const metadata = uploaded?.metadata ?? ''
    return { id, offset: bytes, length: bytes, metadata, expiresAt: null, published: uploaded ?? null }
  }

  /**
   * Adds an upload whose file was there before it, as a job that is done at once, so that all servers know of it. A job that has
   * its id already stays. Throws `job-id-used` where that is of another account.
   */
  async addKnown(id: string, creation: NamedCreation, there: StoredFile): Promise<UploadProgress> {
    const { length, metadata } = creation
    await this.#checkOwn(id, ownerOf(creation))
    const recorded = await runJob(this.#jobs.register(planOfNew(id, creation)), async ({ job, start }) => {
      start()
      job.countFrom(there.size)
      job.commit()
      job.uploaded = describePublished(metadata, there)
    }).catch(undefinedIfUsed)
    await recorded?.result
    return { id, offset: there.size, length, metadata, expiresAt: null, published: there }
  }

  /** Throws where the id is that of another account's upload, whose end it would hide. */
  async #checkOwn(id: string, { accountId }: JobOwner): Promise<void> {
    const known = this.#parts.get(id)?.owner ?? (await this.#jobs.findRecord(id))
    if (known !== undefined && known.accountId !== accountId) throw jobIdUsed(id)
  }
}

const maxParts = 1000
