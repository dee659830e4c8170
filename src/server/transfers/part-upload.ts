import type { Release } from '../concurrency/semaphore.js'
import { TakeoverMutex } from '../concurrency/takeover-mutex.js'
import type { FolderStream } from '../folders/folder-stream.js'
import type { JobOwner } from '../jobs/job-owner.js'
import { asProblem } from '../jobs/outcome.js'
import type { StoredFile } from '../stores/files.js'
import { Flow } from './flow.js'
import { ResumableBytes } from './resumable-bytes.js'
import type { ResumableServices, UploadProgress } from './resumable-services.js'
import type { ResumeState } from './resume-state.js'
import { checkChunk, receiveChunk, type UploadChunk } from './upload-chunks.js'
import { endsUpload, offsetMismatch, partRemoved, takenOver } from './upload-problems.js'

export interface PartUploadPlan {
  id: string
  /** The job of many files that it belongs to. */
  partOf: string
  owner: JobOwner
  resumeState: ResumeState
  /** Released when it has ended. */
  place: Release
  /** Called once, when it is published or removed. */
  onEnd(upload: PartUpload): void
}

/**
 * A resumable upload that is part of a job of many files, and no job of its own: each of its requests is a stream of that
 * job. It is kept as long as the job is.
 */
export class PartUpload {
  readonly id: string
  readonly partOf: string
  readonly #services: ResumableServices
  readonly #plan: PartUploadPlan
  readonly #bytes: ResumableBytes
  readonly #requests = new TakeoverMutex()
  #published: StoredFile | null = null
  #isOver = false
  /** Bytes that the job counts for it between two requests. */
  #counted = 0
  #drop: (bytes: number) => void = () => {}
  #cancelSuspension: () => void = () => {}

  constructor(services: ResumableServices, plan: PartUploadPlan) {
    this.id = plan.id
    this.partOf = plan.partOf
    this.#services = services
    this.#plan = plan
    this.#bytes = new ResumableBytes(services, { id: plan.id, resumeState: plan.resumeState, size: 0 }, neverIdle)
  }

  get owner(): JobOwner {
    return this.#plan.owner
  }

  get progress(): UploadProgress {
    const { length, metadata } = this.#bytes.resumeState
    const offset = this.#published?.size ?? this.#bytes.advertisedSize
    const { clock, keepPartialMs } = this.#services
    const expiresAt = this.#published ? null : new Date(clock.now() + keepPartialMs)
    return { id: this.id, offset, length, metadata, expiresAt, published: this.#published }
  }

  /** Reserves space and creates the partial, as a stream of the job. An empty upload is published at once. */
  async begin(stream: FolderStream): Promise<UploadProgress> {
    const { name } = this.#bytes.resumeState
    this.#drop = stream.hold({ name, bytes: () => this.#counted, remove: () => this.#end() })
    try {
      await this.#bytes.create()
      if (this.#bytes.resumeState.length !== 0) return this.progress
      await this.#bytes.open(0)
      return await this.#publish(stream)
    } catch (error) {
      await this.#end()
      throw error
    }
  }

  /** Its progress. Aborts an earlier request that is still open. */
  async look(): Promise<UploadProgress> {
    return this.#requests.run(null, takenOver(), async () => {
      await this.#bytes.sync()
      return this.progress
    })
  }

  /** Like `ResumableUpload.append`. */
  async append(chunk: UploadChunk): Promise<UploadProgress> {
    const { folders, space } = this.#services
    return this.#requests.run(chunk.left, takenOver(), async (signal) => {
      const { offset, bodySize } = chunk
      const { size, advertisedSize, resumeState } = this.#bytes
      if (this.#published && bodySize === 0 && offset === this.#published.size) return this.progress
      if (this.#published || (offset !== advertisedSize && !(bodySize === 0 && offset === size))) {
        throw offsetMismatch(this.progress.offset, offset)
      }
      checkChunk(chunk, resumeState, space)
      const request = { ...chunk, kind: 'upload' as const, name: resumeState.name, left: signal }
      this.#cancelSuspension()
      try {
        return await folders.join(this.partOf, request, (stream) => this.#receive({ ...chunk, left: signal }, stream))
      } finally {
        this.#planSuspension()
      }
    })
  }

  /** Ends the upload, not its job. */
  async remove(): Promise<void> {
    await this.#requests.close(partRemoved())
    await this.#end()
  }

  async #receive(chunk: UploadChunk, stream: FolderStream): Promise<UploadProgress> {
    const { idleTimeoutMs, throttleOf, memory, space } = this.#services
    const { left, hungUp } = chunk
    const bytes = this.#bytes
    const shared = [throttleOf(stream.job.account)]
    let flow: Flow | undefined
    stream.adopt(this.#counted)
    this.#counted = 0
    try {
      await bytes.open(chunk.length ?? bytes.resumeState.length ?? bytes.size)
      await bytes.expect(chunk)
      stream.signal.throwIfAborted()
      stream.stopWhenRevoked(chunk.identity)
      chunk.begin(stream.job)
      await receiveChunk(chunk, bytes, {
        flow: (signal) => {
          const { carrier } = stream
          flow = new Flow({ carrier, shared, idleTimeoutMs, signal: AbortSignal.any([left, signal]), hungUp })
          return flow
        },
        memory,
        space,
        isWorthKeeping: () => !stream.signal.aborted,
      })
      await bytes.declare(chunk.lateDigests())
      stream.signal.throwIfAborted()
      if (bytes.size === bytes.resumeState.length) return await this.#publish(stream)
      await bytes.sync()
      return this.progress
    } catch (error) {
      const isWhole = bytes.size === bytes.resumeState.length
      if (!stream.signal.aborted && (isWhole || endsUpload.includes(asProblem(error).code))) await this.#end()
      throw error
    } finally {
      flow?.close()
      if (!stream.signal.aborted && !this.#isOver) this.#counted = stream.handOver(bytes.size)
    }
  }

  /**
   * The partial stays open for a while after a request: reopening it for the next one would read it again for its
   * digest.
   */
  #planSuspension(): void {
    if (this.#isOver) return
    const { clock, keepSlotMs } = this.#services
    this.#cancelSuspension = clock.after(keepSlotMs, () => void this.#suspend())
  }

  async #suspend(): Promise<void> {
    try {
      await this.#requests.run(null, takenOver(), async () => {
        if (!this.#isOver) await this.#bytes.suspend()
      })
    } catch (error) {
      if (!this.#requests.isClosed) this.#services.onFailure(error)
    }
  }

  /** Also if the client has disconnected after the last byte. */
  async #publish(stream: FolderStream): Promise<UploadProgress> {
    const sha256 = await this.#bytes.settle(stream.signal)
    await this.#services.checkAccess(this.owner.accountId)
    stream.commit()
    this.#published = await this.#bytes.publish(sha256, (partial, target) => stream.publish(partial, target))
    await this.#end()
    return this.progress
  }

  /** Removes its remains: after the publish, its state. */
  async #end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelSuspension()
    this.#drop(this.#counted)
    this.#plan.place()
    this.#plan.onEnd(this)
    await this.#bytes.remove()
    this.#bytes.release()
  }
}

/** Its space is that of a job under way. */
const neverIdle = { isIdle: false, evict: async () => {} }
