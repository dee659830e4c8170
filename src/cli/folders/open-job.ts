import { randomUUID } from 'node:crypto'
import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import { Problem, type ProblemCode } from '../../protocol/problems.js'
import { jobHeader, jobPath, routes } from '../../protocol/routes.js'
import { Failure } from '../exit-codes.js'
import type { OwnJob } from '../transfers/own-job.js'
import { waitForSlot } from '../transfers/slot-wait.js'
import { type Pace, paceHeaders, type TransferTools } from '../transfers/tools.js'
import { jsonParts } from './json-parts.js'

/** A job to open. */
export interface JobOfFiles {
  /** What the user calls it. */
  readonly title: string
  readonly request: {
    readonly kind: Extract<JobKind, 'upload' | 'export'>
    /** The prefix of the names. */
    readonly name: string
    readonly files: number
    readonly totalBytes: number
    readonly publish?: 'each' | 'together'
    readonly replace?: boolean
  }
}

/** A job of many files on the server. The requests of this program are its streams. */
export class OpenJob {
  readonly #tools: TransferTools
  readonly #job: OwnJob
  readonly #plan: JobOfFiles
  readonly #pace: Pace
  #isOpen = false

  constructor(tools: TransferTools, job: OwnJob, plan: JobOfFiles, pace: Pace) {
    this.#tools = tools
    this.#job = job
    this.#plan = plan
    this.#pace = pace
  }

  get id(): string {
    return this.#job.id
  }

  /** Opens the job unless it is open. Waits for the account's slot if the options allow it. */
  async open(): Promise<void> {
    const job = this.#job
    if (this.#isOpen) return
    const { signal } = job
    const { waitSeconds } = this.#pace
    await waitForSlot(this.#tools, { name: this.#plan.title, waitSeconds, signal }, async (seconds) => {
      // The job may exist even if the response is lost.
      job.begun = seconds === null
      await this.#tools.api.send('POST', routes.jobs, {
        json: this.#plan.request,
        headers: { ...paceHeaders({ ...this.#pace, waitSeconds: seconds }), [jobHeader]: job.id },
        timeoutMs: answerTimeoutMs + (seconds ?? 0) * 1000,
        signal,
      })
    })
    job.begun = true
    this.#isOpen = true
  }

  /** Counts files that need no transfer. */
  async countUnchanged(count: number, bytes: number): Promise<void> {
    if (count > 0) await this.#post('unchanged', { count, bytes })
  }

  /** Lists files that need no transfer, so that a job that replaces a folder keeps them. */
  async listUnchanged(files: readonly { name: string; size: number }[]): Promise<void> {
    for (const part of jsonParts(files, maxBodyBytes, (file) => file)) await this.#post('unchanged', { files: part })
  }

  /** Lists files that failed on this side. */
  async listFailed(files: readonly { name: string; code: string; message: string }[]): Promise<void> {
    for (const part of jsonParts(files, maxBodyBytes, (file) => file)) await this.#post('failed', { files: part })
  }

  /** Ends the job. Repeating it returns the same response. */
  async finish(): Promise<{ job: JobRecord; published: Publication }> {
    const { api } = this.#tools
    return api.send('POST', jobPath(this.id, 'finish'), { timeoutMs: finishTimeoutMs, signal: this.#job.signal })
  }

  /** Stops the job, so that it does not wait for more files. Ignores errors. */
  async leave(): Promise<void> {
    if (!this.#job.begun || this.#job.signal.aborted) return
    await this.#tools.api.send('POST', jobPath(this.id, 'stop'), { timeoutMs: leaveTimeoutMs }).catch(() => {})
  }

  /**
   * Looks up the job after a request failed. `lost`, for example after a restart of the server: `open()` opens another
   * one. Throws if the job was stopped or has failed, or if the server cannot be reached.
   */
  async findEnd(): Promise<'open' | 'done' | 'lost'> {
    const found = await this.#find()
    if (found?.state === 'done') return 'done'
    const isUnknown = !found && !this.#isOpen
    if (isUnknown || found?.endedAt === null) {
      this.#isOpen = !isUnknown
      return 'open'
    }
    if (found?.state === 'stopped') {
      const { stoppedBy } = found
      throw new Problem('job-stopped', `The ${found.kind} was stopped by ${stoppedBy}.`, { stoppedBy })
    }
    if (found?.error && !lostBy.includes(found.error.code)) {
      throw new Failure('unexpected', `The ${found.kind} has failed: ${found.error.message}`)
    }
    return this.#abandon()
  }

  /** An id can be used only once. */
  #abandon(): 'lost' {
    this.#job.begun = false
    this.#job.id = randomUUID()
    this.#isOpen = false
    return 'lost'
  }

  async #find(): Promise<JobRecord | undefined> {
    try {
      return await this.#tools.api.send<JobRecord>('GET', jobPath(this.id), { timeoutMs: leaveTimeoutMs })
    } catch (error) {
      if (error instanceof Problem && error.code === 'job-not-found') return undefined
      throw error
    }
  }

  async #post(action: 'unchanged' | 'failed', json: unknown): Promise<void> {
    await this.#tools.api.send('POST', jobPath(this.id, action), { json, signal: this.#job.signal })
  }
}

const maxBodyBytes = 60 * 1024
/** The server was restarted, or received nothing for too long. */
const lostBy: readonly string[] = ['shutting-down', 'job-expired', 'stalled', 'client-left'] satisfies ProblemCode[]
const answerTimeoutMs = 60_000
const finishTimeoutMs = 60 * 60_000
const leaveTimeoutMs = 10_000
