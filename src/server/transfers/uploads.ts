import type { FolderStream } from '../folders/folder-stream.js'
import { checkHasNoJobId } from '../folders/job-id-check.js'
import type { Job } from '../jobs/job.js'
import { ownerOf } from '../jobs/job-owner.js'
import { queueWaitOf } from '../jobs/job-request.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import type { StoredFile } from '../stores/files.js'
import { BufferPool } from './buffers.js'
import { ChunkGarbage } from './chunk-garbage.js'
import type { ReceivingMemory } from './partial-writer.js'
import { checkFileSize } from './room.js'
import { findKnownFile, isByRequest } from './same-file.js'
import type { FileUpload, UploadRequest } from './upload-request.js'
import { UploadRun } from './upload-run.js'
import type { UploadServices } from './upload-services.js'

export interface Published {
  file: StoredFile
  created: boolean
  /** null if nothing was transferred: the file existed already, with the same digest. */
  job: Job | null
}

/** Receives files: claim → flow → partial → digest and sync → publish → done. */
export class Uploads {
  readonly memory: ReceivingMemory
  readonly #services: UploadServices

  constructor(services: UploadServices) {
    this.#services = services
    this.memory = {
      pool: new BufferPool({ isShared: true }),
      garbage: new ChunkGarbage(services.collectYoung ?? (() => {})),
    }
  }

  /** Receives one file. Throws before calling `begin` if the headers alone are an error. */
  async receiveFile(upload: FileUpload): Promise<Published> {
    const { partOf = null } = upload
    if (partOf === null) {
      const there = await this.#findKnownFile(upload)
      if (there) return { file: there, created: false, job: null }
      return this.#own(upload, { file: upload.name, totalBytes: upload.size }, (run) => this.#receive(upload, run))
    }
    return this.#join(partOf, upload, upload.name, async (stream) => {
      const there = await this.#findKnownFile(upload)
      if (!there) return this.#receive(upload, stream)
      stream.fileDone({ name: there.name, size: there.size, status: 'unchanged' })
      return { file: there, created: false, job: stream.job }
    })
  }

  /**
   * Runs `work` as an upload job, or as a stream of one, for files whose names are not known yet: with a slot, with space
   * for `bytes`, and with nothing left behind if it throws.
   */
  async run<Result>(request: UploadRequest, bytes: number, work: (run: UploadRun) => Promise<Result>): Promise<Result> {
    const { partOf = null } = request
    const perform = (run: JobRun) => this.#work(request, run, { bytes, replaces: null }, work)
    if (partOf !== null) return this.#join(partOf, request, null, perform)
    return this.#own(request, { file: null, totalBytes: null }, perform)
  }

  /** Like `findKnownFile`. Throws `file-too-large`, too. */
  async #findKnownFile(upload: FileUpload): Promise<StoredFile | undefined> {
    const { files, space } = this.#services
    if (upload.size !== null) checkFileSize(space, upload, upload.size)
    return findKnownFile(files, upload)
  }

  async #receive(upload: FileUpload, jobRun: JobRun): Promise<Published> {
    const { account } = upload.identity
    const room = { bytes: upload.size ?? 0, replaces: upload.name }
    return this.#work(upload, jobRun, room, async (run) => {
      const partial = await run.createPartial()
      upload.begin(run.job)
      if (upload.digests.sha512) partial.follow('sha512')
      await run.receive(upload.body, partial)
      const sha256 = await run.settle(partial, upload.digests, upload.lateDigests())
      await run.commit()
      const { name, type, precondition } = upload
      const published = await run.publish(partial, { space: account, name, type, sha256, precondition })
      if (isByRequest(upload)) run.job.file = published.file.name
      return { ...published, job: run.job }
    })
  }

  async #own<Result>(
    request: UploadRequest,
    plan: { file: string | null; totalBytes: number | null },
    work: (run: JobRun) => Promise<Result>,
  ): Promise<Result> {
    const { jobId: id, rateLimit = null } = request
    const admission = this.#services.jobs.admit(
      { ...plan, ...ownerOf(request), id, rateLimit, kind: 'upload' },
      queueWaitOf(request),
    )
    return (await runJob(admission, work)).result
  }

  async #join<Result>(
    partOf: string,
    request: UploadRequest,
    name: string | null,
    work: (stream: FolderStream) => Promise<Result>,
  ): Promise<Result> {
    checkHasNoJobId(request)
    return this.#services.folders.join(partOf, { ...request, kind: 'upload', name }, work)
  }

  async #work<Result>(
    request: UploadRequest,
    jobRun: JobRun,
    room: { bytes: number; replaces: string | null },
    work: (run: UploadRun) => Promise<Result>,
  ): Promise<Result> {
    const run = new UploadRun(jobRun, request, this.#services, this.memory)
    await run.reserve(room.bytes, room.replaces)
    return work(run)
  }
}
