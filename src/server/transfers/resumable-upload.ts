import type { Receipt } from '../../protocol/jobs.js'
import type { Problem } from '../../protocol/problems.js'
import { unlessAborted } from '../concurrency/abortable.js'
import { TakeoverMutex } from '../concurrency/takeover-mutex.js'
import type { Job } from '../jobs/job.js'
import { asProblem, problemOf } from '../jobs/outcome.js'
import { ResumableLifetime } from '../jobs/resumable-lifetime.js'
import { interrupt, ResumableSlot } from '../jobs/resumable-slot.js'
import type { JobRun } from '../jobs/run-job.js'
import type { StoredFile } from '../stores/files.js'
import { expired } from '../stores/lost-jobs.js'
import { ResumableBytes } from './resumable-bytes.js'
import type { ResumableServices, UploadProgress } from './resumable-services.js'
import type { ResumeState } from './resume-state.js'
import { checkChunk, type UploadChunk } from './upload-chunks.js'
import { UploadControls } from './upload-controls.js'
import { UploadEnd } from './upload-end.js'
import { UploadIdle } from './upload-idle.js'
import { orAbort } from './upload-parts.js'
import { evicted, offsetMismatch, takenOver } from './upload-problems.js'
import { UploadReception } from './upload-reception.js'

/**
 * One resumable upload, which is one job with any number of requests. One request at a time writes: a newer one aborts
 * the previous one. The job is waiting until its first bytes have a slot, and keeps the slot for a while between two
 * requests; when its client has disconnected, it is interrupted.
 */
export class ResumableUpload {
  readonly job: Job
  readonly #run: JobRun
  readonly #services: ResumableServices
  readonly #bytes: ResumableBytes
  readonly #requests = new TakeoverMutex()
  readonly #slot: ResumableSlot
  readonly #reception: UploadReception
  readonly #lifetime: ResumableLifetime
  readonly #controls: UploadControls
  readonly #end: UploadEnd

  /** `ageMs`: since its last use, by an earlier run of the server. */
  constructor(services: ResumableServices, run: JobRun, { resumeState, size, ageMs }: ResumableState) {
    const { job } = run
    this.#services = services
    this.#run = run
    this.job = job
    this.#bytes = new ResumableBytes(services, { id: job.id, resumeState, size }, this)
    this.#slot = new ResumableSlot(services.jobs, job, services, () => idle.giveUp())
    this.#lifetime = new ResumableLifetime(services, { isUsed: size > 0, ageMs })
    const parts = { run, requests: this.#requests, slot: this.#slot, bytes: this.#bytes, lifetime: this.#lifetime }
    this.#reception = new UploadReception(parts, services)
    const idle = new UploadIdle(parts, () => this.#planIdle(), services.onFailure)
    this.#controls = new UploadControls(job, this.#bytes, services.onFailure)
    this.#end = new UploadEnd(run, this.#bytes, services)
    job.throttle.onChange(() => this.saveControls())
  }

  /**
   * The work of its job: settles when its bytes are published, or with the reason why they are not; never if the server
   * closes before.
   */
  async work(): Promise<StoredFile> {
    this.#run.onEnd(() => this.#slot.close())
    return this.#end.work(() => this.#requests.idle())
  }

  /** Its progress, regardless of running requests. */
  get progress(): UploadProgress {
    const { length, metadata } = this.#bytes.resumeState
    const { published } = this.#end
    const expiresAt = published ? null : this.expiresAt
    return { id: this.job.id, offset: this.#advertisedOffset, length, metadata, expiresAt, published }
  }

  /** When it expires if nothing happens. */
  get expiresAt(): Date {
    return this.#lifetime.expiresAt(this.#isInUse)
  }

  get hasExpired(): boolean {
    return !this.#isInUse && this.#lifetime.remainingMs === 0
  }

  /** Whether it has had no request since its creation, so that it can be removed for another one. */
  get isIdle(): boolean {
    return !this.#isInUse && !this.#lifetime.isUsed && !this.job.signal.aborted
  }

  /**
   * Reserves space and creates the partial, which takes no slot. If one of them fails, throws after the job has ended.
   * An empty upload is published at once.
   */
  async begin(): Promise<UploadProgress> {
    return this.#ask(null, async () => {
      await orAbort(this.job, this.#bytes.create())
      this.job.signal.throwIfAborted()
      if (this.#bytes.resumeState.length === 0) {
        this.#run.start()
        await this.#bytes.open(0)
        await this.#end.publish()
      }
      return this.progress
    })
  }

  /** A request arrived after its creation. */
  use(): void {
    this.#lifetime.use()
  }

  /**
   * Ends it, unless all its bytes have arrived, because its client does not know of it. Resolves when all its data is
   * removed.
   */
  async discard(reason: unknown): Promise<void> {
    if (this.#end.publishing) return
    this.job.abort(asProblem(reason))
    await this.job.ended
  }

  /** Ends it to make space for another one. Resolves when all its data is removed. */
  async evict(): Promise<void> {
    await this.discard(evicted())
  }

  /** Its progress. Aborts an earlier request that is still open. */
  async look(): Promise<UploadProgress> {
    return this.#ask(null, async () => {
      await orAbort(this.job, this.#bytes.sync())
      return this.progress
    })
  }

  /**
   * Appends a chunk, and publishes the file after the last one. Aborts an earlier request that is still open. Throws
   * `offset-mismatch`, the errors of `checkChunk` and `receiveChunk`, `digest-mismatch`, and the abort reason of the
   * request or the job.
   */
  async append(chunk: UploadChunk): Promise<UploadProgress> {
    return this.#ask(chunk.left, async (signal) => {
      const isEmpty = chunk.bodySize === 0
      if (chunk.offset !== this.#advertisedOffset && !(isEmpty && chunk.offset === this.#bytes.size)) {
        throw offsetMismatch(this.#advertisedOffset, chunk.offset)
      }
      checkChunk(chunk, this.#bytes.resumeState, this.#services.space)
      if (this.#end.publishing) return this.#join(this.#end.publishing, chunk, signal)
      const endWatch = this.#run.stopWhenRevoked(chunk.identity)
      try {
        await this.#reception.receive(chunk, signal)
        await this.#bytes.declare(chunk.lateDigests())
        this.job.signal.throwIfAborted()
        if (this.#bytes.size !== this.#bytes.resumeState.length) await orAbort(this.job, this.#bytes.sync())
        else await unlessAborted(this.#end.publish(), signal)
        return this.progress
      } finally {
        // It also watches the publish, whose request may have disconnected.
        Promise.resolve(this.#end.publishing).then(endWatch, endWatch)
      }
    })
  }

  /** Like `Job.stop`. A running request gets its own response. */
  stop(by: string): Promise<Receipt> {
    return this.job.stop(by)
  }

  /** Ends the upload, because its client did not return in time. */
  expire(): void {
    this.job.abort(expired())
  }

  /** Called when the state of the job changes. */
  saveControls(): void {
    this.#controls.save()
  }

  /** Ends the part of this server in it, for another one that continues it. False if it has ended instead. */
  async handOver(): Promise<boolean> {
    await this.close(takenOver())
    this.#bytes.release()
    return !this.job.isEnded
  }

  /** Aborts the running request with `reason`, and keeps everything for a later run. Waits for a running publish. */
  async close(reason: Problem): Promise<void> {
    await this.#requests.close(reason)
    this.#slot.close()
    if (this.#end.publishing || this.job.signal.aborted) {
      await this.#end.publishing?.catch(() => {})
      await this.job.ended
      return
    }
    interrupt(this.job)
    // An upload that cannot be kept must not delay the shutdown: it ends, and its space is released.
    await orAbort(this.job, this.#bytes.suspend()).catch(this.#services.onFailure)
    if (this.job.signal.aborted) await this.job.ended
  }

  /** Runs `work` as the only request of this upload, and converts its errors. */
  async #ask<T>(left: AbortSignal | null, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await this.#requests.run(left, takenOver(), async (signal) => {
        this.#slot.use()
        this.job.signal.throwIfAborted()
        try {
          return await work(signal)
        } finally {
          this.#planIdle()
        }
      })
    } catch (error) {
      if (!this.job.signal.aborted && !this.job.isEnded) throw asProblem(error)
      await this.job.ended
      throw problemOf(this.job, error)
    }
  }

  /** All bytes had arrived when the connection of their request broke: a repeated request waits for the same publish. */
  async #join(publishing: Promise<StoredFile>, { digests, body, begin }: UploadChunk, signal: AbortSignal) {
    // The state on disk no longer matters; the digest is compared when it is known.
    Object.assign(this.#bytes.resumeState, digests)
    begin(this.job)
    body.resume()
    await unlessAborted(publishing, signal)
    return this.progress
  }

  get #isInUse(): boolean {
    return this.#requests.isBusy || this.#end.publishing !== null
  }

  #planIdle(): void {
    if (this.job.signal.aborted || this.#end.publishing || this.#requests.isClosed) return
    // An upload that waits for its first request holds only its space.
    if (this.#lifetime.isUsed || this.#bytes.size > 0) this.#slot.idle(this.#reception.lastByteAt)
  }

  get #advertisedOffset(): number {
    return this.#end.published?.size ?? this.#bytes.advertisedSize
  }
}

/** The state of an upload when this run of the server registers it. */
export interface ResumableState {
  resumeState: ResumeState
  /** Valid bytes on disk. */
  size: number
  ageMs: number
}
