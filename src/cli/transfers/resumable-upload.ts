import { randomUUID } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { refuseEnded } from './broken-connection.js'
import type { WriteChunk } from './exchange.js'
import type { Memory } from './memory.js'
import type { OwnJob } from './own-job.js'
import { paceHeaders, type TransferTools } from './tools.js'
import { appendPiece, createUpload, findStanding, removeUpload, type Standing } from './tus.js'
import { preconditionHeaders, type UploadOptions } from './upload-options.js'

/** Bytes of a piece, null where that is not known, and what its request says beside them. */
export interface PieceOptions {
  readonly bytes: number | null
  readonly headers?: OutgoingHttpHeaders
}

/** What is uploaded. */
export interface Content {
  readonly name: string
  /** Bytes; null where that is not known before the end. */
  readonly length: number | null
  /** Differs where the content may differ. */
  readonly version: string
}

/** One upload by tus, which is found again whatever breaks: begun, gone on with, or taken over from an earlier run. */
export class ResumableUpload {
  readonly #tools: TransferTools
  readonly #name: string
  readonly #length: number | null
  readonly #version: string
  readonly #options: UploadOptions
  readonly #memory: Memory | undefined
  readonly #job: OwnJob
  /** Whether the server may know the job's id: from an earlier run, or from this one. */
  #known: 'no' | 'earlier' | 'now' = 'no'
  #isRemembering = true

  constructor(
    tools: TransferTools,
    { name, length, version }: Content,
    options: UploadOptions,
    memory: Memory | undefined,
    job: OwnJob,
  ) {
    this.#tools = tools
    this.#name = name
    this.#length = length
    this.#version = version
    this.#options = options
    this.#memory = memory
    this.#job = job
  }

  /** Takes up what an earlier run has left, unless that run still goes on. False where there is nothing to go on with. */
  async recall(): Promise<boolean> {
    const notes = await this.#memory?.recall()
    if (notes === 'busy') this.#isRemembering = false
    else if (notes?.id !== undefined) {
      if (notes.version === this.#version) {
        this.#job.id = notes.id
        this.#known = 'earlier'
      }
      // Nobody goes on with what came of the file as it was.
      else await removeUpload(this.#tools.http, notes.id)
    }
    return this.#known === 'earlier'
  }

  /** Where it stands; begins a new one where there is none. Throws the Problem of one that was stopped. */
  async locate(): Promise<Standing> {
    const { http, api, note } = this.#tools
    const job = this.#job
    if (this.#known === 'no') return this.#create()
    const standing = await findStanding(http, job.id, job.signal)
    if (!standing) {
      // A stop is meant for the run that it meets.
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

  /** Sends a piece from `offset` on, and resolves when the server has it for good. */
  async append(offset: number, piece: PieceOptions, send: (write: WriteChunk) => Promise<void>): Promise<void> {
    const { id, signal } = this.#job
    const headers = { ...paceHeaders(this.#options), ...piece.headers }
    const { waitSeconds } = this.#options
    await appendPiece(this.#tools.http, { id, offset, bytes: piece.bytes, headers, waitSeconds }, signal, send)
  }

  /** It is published, stopped or cannot be gone on with: nothing is remembered of it. */
  async forget(): Promise<void> {
    this.#job.resumable = false
    if (this.#isRemembering) await this.#memory?.forget()
  }

  /** Removes what the server has of it. */
  async discard(): Promise<void> {
    await this.forget()
    await this.#remove()
  }

  /** For the end of a run: removes what the server has of it where nobody can go on with that. */
  async abandon(): Promise<void> {
    if (this.#job.leavesPartial) await this.#remove()
  }

  async #remove(): Promise<void> {
    this.#job.leavesPartial = false
    await removeUpload(this.#tools.http, this.#job.id)
  }

  /**
   * A job keeps the limit that it was begun with, or that somebody has set since: one that was asked for now takes its
   * place. Answers with a limit that was not asked for, or null.
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
      // It has ended meanwhile: the next request of the upload itself hears how.
      if (error instanceof Problem && (error.code === 'not-running' || error.code === 'job-not-found')) return null
      throw error
    }
  }

  async #create(): Promise<Standing> {
    const { http, progress } = this.#tools
    const job = this.#job
    const { waitSeconds } = this.#options
    job.begun = waitSeconds === null
    // Its answer may be lost.
    job.leavesPartial = job.begun
    job.resumable = false
    if (!job.begun) progress.say(`${this.#name}: waiting for its turn`)
    this.#known = 'now'
    const headers = { ...paceHeaders(this.#options), ...preconditionHeaders(this.#options) }
    const creation = { jobId: job.id, name: this.#name, length: this.#length, headers }
    job.id = await createUpload(http, creation, job.signal)
    await this.#hasBegun()
    return { offset: 0, sha256: undefined }
  }

  async #hasBegun(): Promise<void> {
    this.#known = 'now'
    this.#job.begun = true
    const memory = this.#isRemembering ? this.#memory : undefined
    this.#job.resumable = (await memory?.save({ id: this.#job.id, version: this.#version })) ?? false
    this.#job.leavesPartial = !this.#job.resumable
  }
}
