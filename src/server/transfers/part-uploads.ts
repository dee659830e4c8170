import { randomUUID } from 'node:crypto'
import type { Release } from '../concurrency/semaphore.js'
import type { FolderStream } from '../folders/folder-stream.js'
import { isSameOwner, type JobOwner } from '../jobs/job-owner.js'
import { checkPrecondition } from '../stores/precondition.js'
import { jobIdUsed } from '../stores/slot-problems.js'
import { isKnownBy } from './declared-digests.js'
import { PartUpload } from './part-upload.js'
import type { ResumableServices, UploadProgress } from './resumable-services.js'
import { type Creation, initialResumeState } from './upload-creation.js'
import { uploadNotFound } from './upload-problems.js'

export interface PartUploadsOptions {
  /** Limits the unfinished uploads of an account. */
  takePlace(owner: JobOwner): Promise<Release>
  /** Called when an upload is published. */
  onPublished(owner: JobOwner, progress: UploadProgress): void
}

/** The resumable uploads that are part of jobs of many files. */
export class PartUploads {
  readonly #services: ResumableServices
  readonly #options: PartUploadsOptions
  readonly #live = new Map<string, PartUpload>()

  constructor(services: ResumableServices, options: PartUploadsOptions) {
    this.#services = services
    this.#options = options
  }

  has(id: string): boolean {
    return this.#live.has(id)
  }

  /** Throws `upload-not-found` for another account's. */
  find(id: string, owner: JobOwner): PartUpload | undefined {
    const upload = this.#live.get(id)
    if (upload && !isSameOwner(upload.owner, owner)) throw uploadNotFound(id)
    return upload
  }

  /** Creates an upload as a stream of the job. Throws like `FolderJobs.join` and `ResumableUploads.create`. */
  async create(creation: Creation, partOf: string): Promise<UploadProgress> {
    const id = creation.jobId ?? randomUUID()
    const name = creation.name ?? id
    const { first } = creation
    const begun = await this.#services.folders.join(partOf, { ...creation, kind: 'upload', name }, (stream) =>
      this.#begin(stream, id, { ...creation, name }),
    )
    const upload = this.#live.get(id)
    if (!upload || first === null) return begun
    try {
      return await upload.append({ ...creation, ...first, offset: 0, length: null })
    } catch (error) {
      // The client did not receive its location.
      if (creation.jobId === null) await upload.remove()
      throw error
    }
  }

  async #begin(stream: FolderStream, id: string, creation: Creation & { name: string }): Promise<UploadProgress> {
    const { files, space, jobs, clock } = this.#services
    const { identity, name, length, metadata, digests, precondition } = creation
    const { account } = identity
    if (this.#live.has(id) || (await jobs.findRecord(id))) throw jobIdUsed(id)
    if (length !== null) space.checkSize(length)
    await files.checkName(account, name)
    const there = await files.find(account, name)
    if (there && there.size === length && isKnownBy(digests, there.sha256)) {
      stream.fileDone({ name, size: there.size, status: 'unchanged' })
      const progress = { id, offset: there.size, length, metadata, expiresAt: null, published: there }
      this.#options.onPublished(stream.job, progress)
      return progress
    }
    checkPrecondition(there, precondition)
    const place = await this.#options.takePlace(stream.job)
    const resumeState = initialResumeState(creation, new Date(clock.now()))
    const upload = new PartUpload(this.#services, {
      id,
      partOf: stream.job.id,
      owner: { accountId: stream.job.accountId, account: stream.job.account },
      resumeState,
      place,
      onEnd: () => this.#onEnd(upload),
    })
    this.#live.set(id, upload)
    return upload.begin(stream)
  }

  #onEnd(upload: PartUpload): void {
    this.#live.delete(upload.id)
    const { progress } = upload
    if (progress.published) this.#options.onPublished(upload.owner, progress)
  }
}
