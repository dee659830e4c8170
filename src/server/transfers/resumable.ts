import { randomUUID } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import { KeyedMutex } from '../concurrency/keyed-mutex.js'
import { type Release, Semaphore } from '../concurrency/semaphore.js'
import type { Admission } from '../jobs/admission.js'
import type { Job } from '../jobs/job.js'
import { isSameOwner, type JobOwner, ownerOf } from '../jobs/job-owner.js'
import { runJob } from '../jobs/run-job.js'
import { EndedUploads } from './ended-uploads.js'
import { findMovable, planOfKept, stopElsewhere, undefinedIfUsed } from './kept-uploads.js'
import { PartUploads } from './part-uploads.js'
import { clientLeft } from './receiving.js'
import type { ResumableServices, UploadProgress } from './resumable-services.js'
import { type ResumableState, ResumableUpload } from './resumable-upload.js'
import type { KeptUpload } from './resume-state.js'
import { checkFileSize } from './room.js'
import { findKnownFile } from './same-file.js'
import type { UploadChunk } from './upload-chunks.js'
import { type Creation, initialResumeState, type NamedCreation, planOfNew } from './upload-creation.js'
import { movedAway, notPartOf, offsetMismatch, tooManyUploads, uploadGone, uploadNotFound } from './upload-problems.js'

/** The resumable uploads that are under way, and those that have ended. */
export class ResumableUploads {
  readonly #services: ResumableServices
  readonly #live = new Map<string, { upload: ResumableUpload; place: Release }>()
  /** Limits the unfinished uploads of an owner. */
  readonly #places = new Semaphore({ slotsPerKey: maxUploadsPerAccount })
  readonly #parts: PartUploads
  /** Uploads that come from other servers, or go there. */
  readonly #moves = new KeyedMutex()
  readonly #ended: EndedUploads
  readonly #endSweeps: () => void
  readonly #endObservation: () => void

  constructor(services: ResumableServices) {
    this.#services = services
    this.#ended = new EndedUploads(services.jobs, services)
    this.#parts = new PartUploads(services, {
      takePlace: (owner) => this.#takePlace(owner),
      onPublished: (owner, progress) => this.#ended.addPart(owner, progress),
    })
    const keepMs = Math.min(services.keepPartialMs, services.keepUnusedMs)
    const sweepMs = Math.min(longestSweepMs, Math.max(shortestSweepMs, keepMs / 4))
    this.#endSweeps = services.clock.every(sweepMs, () => this.#sweep())
    this.#endObservation = services.jobs.observe((job, change) => {
      if (change === 'state') this.#follow(job)
    })
  }

  /** Registers the uploads of earlier runs. They hold no slot until their clients continue them. */
  async restore(kept: KeptUpload[]): Promise<void> {
    for (const upload of kept) await this.#restore(upload)
  }

  async #restore({ id, resumeState, offset, lastUsedAt }: KeptUpload): Promise<ResumableUpload> {
    const { request, length } = resumeState
    if (request !== null) {
      await this.#services.requests.restore(request, { job: id, files: 1, bytes: length ?? offset })
    }
    const plan = planOfKept({ id, resumeState, offset })
    const admission = this.#services.jobs.restore(plan)
    const place = this.#places.tryAcquire(keyOf(plan)) ?? (() => {})
    // While the server was down, no client could request an upload without bytes.
    const ageMs = offset === 0 ? 0 : Math.max(0, this.#services.clock.now() - lastUsedAt.getTime())
    try {
      return await this.#run(admission, { resumeState, size: offset, ageMs }, place)
    } catch (error) {
      place()
      throw error
    }
  }

  /** Whether this server runs an upload, or one that is part of a job. */
  isHere(id: string): boolean {
    return this.#live.has(id) || this.#parts.has(id)
  }

  /** Gives an upload up, which another server continues. Waits for a running publish. */
  async handOver(id: string): Promise<void> {
    await this.#moves.run(id, async () => {
      const live = this.#live.get(id)
      if (!live || !(await live.upload.handOver())) return
      this.#live.delete(id)
      live.place()
      await this.#services.jobs.handOver(live.upload.job)
    })
  }

  /**
   * Creates an upload, without a slot. Nothing is left if this throws, or if `left` aborts before the response, unless
   * the client knows its id.
   */
  async create(creation: Creation): Promise<UploadProgress> {
    if (creation.partOf) return this.#parts.create(creation, creation.partOf)
    const { space } = this.#services
    const { length, first } = creation
    const id = creation.jobId ?? randomUUID()
    const name = creation.name ?? id
    if (length !== null) checkFileSize(space, creation, length)
    const there = await findKnownFile(this.#services.files, { ...creation, name, size: length })
    // The response to an earlier attempt was lost: the same bytes again succeed without sending them.
    if (there) return this.#ended.addKnown(id, { ...creation, name }, there)
    const upload = await this.#register(id, { ...creation, name })
    if (creation.jobId === null) {
      const discard = () => upload.discard(clientLeft())
      creation.left.addEventListener('abort', discard, { once: true })
      if (creation.left.aborted) discard()
    }
    const progress = await upload.begin()
    if (first === null || length === 0) return progress
    // Its response acknowledges bytes: the client may continue as late as after any other request.
    upload.use()
    try {
      return await upload.append({ ...creation, ...first, offset: 0, length: null })
    } catch (error) {
      const isRefused = error instanceof Problem && error.code === 'job-running'
      // The client did not receive its location.
      if (creation.jobId === null || isRefused) await upload.discard(error)
      throw error
    }
  }

  async #register(id: string, creation: NamedCreation): Promise<ResumableUpload> {
    const place = await this.#takePlace(ownerOf(creation))
    try {
      const admission = this.#services.jobs.register(planOfNew(id, creation))
      const resumeState = initialResumeState(creation, new Date(this.#services.clock.now()))
      return await this.#run(admission, { resumeState, size: 0, ageMs: 0 }, place)
    } catch (error) {
      place()
      throw error
    }
  }

  /** If an owner has too many, the oldest upload without bytes is removed. */
  async #takePlace(owner: JobOwner): Promise<Release> {
    for (;;) {
      const place = this.#places.tryAcquire(keyOf(owner))
      if (place) return place
      const idle = this.#uploads().find((upload) => isSameOwner(upload.job, owner) && upload.isIdle)
      if (!idle) throw tooManyUploads(maxUploadsPerAccount)
      await idle.evict()
    }
  }

  /**
   * The progress of an upload. Throws `upload-not-found`, `upload-gone`, and `upload-locked`, for a minute after a stop, and
   * if another server took the upload over meanwhile: after any other 4xx than 423 a client would begin again.
   */
  async look(id: string, owner: JobOwner): Promise<UploadProgress> {
    const part = this.#parts.find(id, owner)
    if (part) return part.look()
    const live = await this.#find(id, owner)
    try {
      if (live) return await live.look()
    } catch (error) {
      if (error instanceof Problem && error.code === 'taken-over') throw movedAway()
      // It has just ended: handled below.
      if (!live?.job.isEnded) throw error
    }
    const ended = await this.#ended.get(id, owner)
    if ('published' in ended) return ended
    // A client restarts after "gone". This one should give up instead, because the upload was stopped.
    if (ended.state === 'stopped' && Math.abs(this.#services.clock.now() - Date.parse(ended.endedAt!)) < stopToldMs) {
      throw new Problem('upload-locked', `The upload was stopped by ${ended.stoppedBy}.`, { job: ended })
    }
    throw uploadGone(ended)
  }

  /** Like `ResumableUpload.append`. Throws the errors of `look` too, but `job-stopped` after a stop. */
  async append(id: string, owner: JobOwner, chunk: UploadChunk): Promise<UploadProgress> {
    const part = this.#parts.find(id, owner)
    const { partOf } = chunk
    const live = part ? undefined : await this.#find(id, owner)
    if (partOf && partOf !== part?.partOf && !this.#ended.hasPart(id)) {
      // The end of the job may just have removed it.
      if (!part && !live) await this.#services.folders.mustBeOpen(partOf, chunk.identity.account)
      throw notPartOf(partOf)
    }
    if (part) return part.append(chunk)
    if (live) return live.append(chunk)
    const ended = await this.#ended.get(id, owner)
    if (!('published' in ended)) throw uploadGone(ended)
    if (chunk.offset !== ended.offset) throw offsetMismatch(ended.offset, chunk.offset)
    if (chunk.bodySize !== 0) {
      const { offset } = ended
      throw new Problem('offset-mismatch', `The upload is whole with its ${offset} bytes: no more can come.`, {
        offset,
      })
    }
    return ended
  }

  /** Stops an upload; of a job of many files, only this upload. Throws `already-published` too. */
  async stop(id: string, owner: JobOwner): Promise<void> {
    const part = this.#parts.find(id, owner)
    if (part) return part.remove()
    // Only the server that has its request can tell that one of the stop.
    if (!this.#live.has(id) && (await stopElsewhere(id, owner, this.#services))) return
    const live = await this.#find(id, owner)
    if (live) {
      await live.stop(owner.account)
      return
    }
    const ended = await this.#ended.get(id, owner)
    if (!('published' in ended)) throw uploadGone(ended)
    throw new Problem('already-published', 'Too late to stop: the file is published. Remove it by its name.')
  }

  owns(job: Job): boolean {
    return this.#live.has(job.id)
  }

  /**
   * Aborts running requests with `reason`, and keeps the uploads for a later run. Resolves when everything is on disk.
   */
  async close(reason: Problem): Promise<void> {
    this.#endSweeps()
    await Promise.all(this.#uploads().map((upload) => upload.close(reason)))
    this.#endObservation()
  }

  /** Runs the upload's job, which continues after this returns. `place` is released when it ends. */
  async #run(admitting: Promise<Admission>, state: ResumableState, place: Release): Promise<ResumableUpload> {
    let upload!: ResumableUpload
    await runJob(admitting, (run) => {
      upload = new ResumableUpload(this.#services, run, state)
      this.#live.set(run.job.id, { upload, place })
      return upload.work()
    })
    return upload
  }

  #follow(job: Job): void {
    const live = this.#live.get(job.id)
    if (!live) return
    if (!job.isEnded) {
      live.upload.saveControls()
      return
    }
    this.#live.delete(job.id)
    live.place()
  }

  #uploads(): ResumableUpload[] {
    return [...this.#live.values()].map(({ upload }) => upload)
  }

  async #find(id: string, owner: JobOwner): Promise<ResumableUpload | undefined> {
    // One that is just going to another server is taken back from there.
    await this.#moves.settled(id)
    const own = this.#live.get(id)?.upload.job
    if (own?.signal.aborted) await own.ended // Another server may have taken it.
    const upload = this.#live.get(id)?.upload ?? (await this.#takeOver(id, owner))
    if (upload && !isSameOwner(upload.job, owner)) throw uploadNotFound(id)
    if (!upload?.hasExpired) {
      upload?.use()
      return upload
    }
    // The client knows the expiry time, and the next sweep may be a minute away.
    upload.expire()
    await upload.job.ended
    return undefined
  }

  /** Continues an upload of another server, or one that no server runs. */
  #takeOver(id: string, owner: JobOwner): Promise<ResumableUpload | undefined> {
    return this.#moves.run(id, async () => {
      for (let attempt = 1; attempt <= maxMoves; attempt++) {
        const upload = this.#live.get(id)?.upload
        if (upload) return upload
        const kept = await findMovable(id, owner, this.#services)
        if (!kept) return undefined
        const restored = await this.#restore(kept).catch(undefinedIfUsed)
        if (restored) return restored
      }
      throw movedAway()
    })
  }

  #sweep(): void {
    for (const upload of this.#uploads()) if (upload.hasExpired) upload.expire()
  }
}

function keyOf({ accountId, account }: JobOwner): string {
  return `${accountId} ${account}`
}

const maxMoves = 20
const longestSweepMs = 60_000
const shortestSweepMs = 25
const stopToldMs = 60_000
const maxUploadsPerAccount = 1000
