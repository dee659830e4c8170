import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import { longestWaitSeconds } from '../../client/transfer-options.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { refuseEnded } from './broken-connection.js'
import type { WriteChunk } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { waitForSlot } from './slot-wait.js'
import { paceHeaders, type TransferTools } from './tools.js'
import type { TransferState } from './transfer-state.js'
import { appendChunk, createUpload, findStanding, removeUpload, type Standing } from './tus.js'
import { preconditionHeaders, type UploadOptions } from './upload-options.js'

/** The bytes of a chunk, null if unknown, and additional headers of its request. */
export interface ChunkOptions {
  readonly bytes: number | null
  readonly headers?: OutgoingHttpHeaders
}

/** The content of an upload. */
export interface UploadContent {
  readonly name: string
  /** Bytes; null if unknown before the end. */
  readonly length: number | null
  /** Differs if the content may differ. */
  readonly version: string
}

/** One resumable upload by tus: created, resumed after a failure, or resumed from an earlier run. */
export class ResumableSender {
  readonly #tools: TransferTools
  readonly #name: string
  readonly #length: number | null
  readonly #version: string
  readonly #options: UploadOptions
  readonly #transferState: TransferState | undefined
  readonly #job: OwnJob
  /** Whether the server may know the job's id: from an earlier run, or from this one. */
  #known: 'no' | 'earlier' | 'now' = 'no'
  #isRemembering = true
  /** Whether this run has sent a chunk. */
  #hasSent = false

  constructor(
    tools: TransferTools,
    { name, length, version }: UploadContent,
    options: UploadOptions,
    transferState: TransferState | undefined,
    job: OwnJob,
  ) {
    this.#tools = tools
    this.#name = name
    this.#length = length
    this.#version = version
    this.#options = options
    this.#transferState = transferState
    this.#job = job
  }

  /**
   * Resumes the upload of an earlier run, unless that run is still active. Returns false if there is nothing to resume.
   */
  async recall(): Promise<boolean> {
    const saved = await this.#transferState?.recall()
    if (saved === 'busy') this.#isRemembering = false
    else if (saved?.id !== undefined) {
      if (saved.version === this.#version) {
        this.#job.id = saved.id
        this.#known = 'earlier'
      }
      // The bytes of the earlier version cannot be resumed.
      else await removeUpload(this.#tools.http, saved.id)
    }
    return this.#known === 'earlier'
  }

  /** Returns its state; creates an upload if there is none. Throws the Problem of one that was stopped. */
  async locate(): Promise<Standing> {
    const { http, api, note } = this.#tools
    const job = this.#job
    if (this.#known === 'no') return this.#create()
    const standing = await findStanding(http, job.id, job.signal)
    if (!standing) {
      // Treat "stopped" as fatal only if this run created the upload.
      if (this.#known === 'now') await refuseEnded(api, job.id)
      job.id = randomUUID()
      return this.#create()
    }
    const limit = this.#known === 'earlier' && standing.offset !== this.#length ? await this.#agreeOnLimit() : null
    if (this.#known === 'earlier' && standing.offset > 0) note(`Going on with ${this.#name}, which was begun before.`)
    if (limit !== null) {
      note(`This upload is limited to ${formatBytes(limit)}/s: "filejobs limit ${job.id} off" lifts it.`)
    }
    await this.#hasBegun()
    return standing
  }

  /** Sends a chunk at `offset`, and resolves when the server has stored it. */
  async append(offset: number, chunk: ChunkOptions, send: (write: WriteChunk) => Promise<void>): Promise<void> {
    const { id, partOf, signal } = this.#job
    // It gave its slot up because its source was slow, and has it again after the others.
    const waitSeconds = this.#hasSent ? longestWaitSeconds : this.#options.waitSeconds
    await waitForSlot(this.#tools, { name: this.#name, waitSeconds, signal }, (seconds) => {
      const headers = { ...paceHeaders({ ...this.#options, waitSeconds: seconds }), ...chunk.headers }
      const { http } = this.#tools
      return appendChunk(http, { id, partOf, offset, bytes: chunk.bytes, headers, waitSeconds: seconds }, signal, send)
    })
    this.#hasSent = true
  }

  /** It is published, stopped or cannot be resumed: remove the saved state. */
  async forget(): Promise<void> {
    this.#job.resumable = false
    if (this.#isRemembering) await this.#transferState?.forget()
  }

  /** Removes the bytes on the server. */
  async discard(): Promise<void> {
    await this.forget()
    await this.#remove()
  }

  /** For the end of a run: removes the bytes on the server if the upload cannot be resumed. */
  async abandon(): Promise<void> {
    if (this.#job.leavesPartial) await this.#remove()
  }

  async #remove(): Promise<void> {
    this.#job.leavesPartial = false
    await removeUpload(this.#tools.http, this.#job.id)
  }

  /**
   * A job keeps the rate limit of its creation, or the last one that was set: a limit given now replaces it. Returns a
   * limit that was not given now, or null.
   */
  async #agreeOnLimit(): Promise<number | null> {
    const { api } = this.#tools
    const { id, signal } = this.#job
    const { rateLimit } = this.#options
    try {
      const job = await api.send<JobRecord>('GET', jobPath(id), { signal })
      if (rateLimit === null || job.rateLimit === rateLimit) return rateLimit === null ? job.rateLimit : null
      await api.send('PATCH', jobPath(id), { json: { rateLimit }, signal })
      return null
    } catch (error) {
      // It has ended meanwhile: the next request of the upload itself reports how.
      if (error instanceof Problem && (error.code === 'not-running' || error.code === 'job-not-found')) return null
      throw error
    }
  }

  async #create(): Promise<Standing> {
    const { http } = this.#tools
    const job = this.#job
    job.begun = true
    // Its response may be lost.
    job.leavesPartial = true
    job.resumable = false
    this.#known = 'now'
    const headers = { ...paceHeaders(this.#options), ...preconditionHeaders(this.#options) }
    const creation = { jobId: job.id, partOf: job.partOf, name: this.#name, length: this.#length, headers }
    job.id = await createUpload(http, creation, job.signal)
    await this.#hasBegun()
    return { offset: 0, sha256: undefined }
  }

  async #hasBegun(): Promise<void> {
    this.#known = 'now'
    this.#job.begun = true
    const transferState = this.#isRemembering ? this.#transferState : undefined
    this.#job.resumable = (await transferState?.save({ id: this.#job.id, version: this.#version })) ?? false
    this.#job.leavesPartial = !this.#job.resumable
  }
}
