import { randomUUID } from 'node:crypto'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { asProblem, endByError } from '../jobs/outcome.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { OpenFile } from '../stores/files.js'
import { unlessAborted } from './abortable.js'
import { BufferPool } from './buffers.js'
import { Flow } from './flow.js'
import { clientLeft } from './receiving.js'
import { type ByteRange, send } from './sending.js'
import { StopMemory } from './stop-memory.js'
import { stopWhenRevoked, turnOf } from './uploads.js'

export interface ExportServices {
  jobs: Jobs
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
  /** Told of what broke in the server while a file was being sent: its reader only sees that the connection is cut. */
  onFailure(error: unknown): void
}

export interface ExportRequest {
  identity: Identity
  /** Who counts as the one that exports, where it is not the account itself: a share. */
  account?: string
  /** False: a job of its own, where the readers are different people; default true. */
  joins?: boolean
  /** What the job and a stop name: the file's name as its reader asked for it. */
  name: string
  file: OpenFile
  range: ByteRange
  jobId: string | null
  waitMs: number
  /** Bytes per second; null, the default, for none. One that joins a running job sets it for all of its streams. */
  rateLimit?: number | null
  /** Aborts when the reader's connection is gone. */
  left: AbortSignal
  /** Bytes of the response that the network has still to take. */
  unsent: () => number
  /** Called once the job runs, to write the head of the response. Where it throws, nothing may have been written. */
  begin(job: Job): void
  response: Writable
  /** Must make the reader's end an error, whatever it has got so far. */
  cut(): void
}

/**
 * Sends files: claim → head → file store → flow → response → done. All open responses of one file for one account are one job
 * with several streams: a browser's seeking, or a client with several connections.
 */
export class Exports {
  readonly #services: ExportServices
  readonly #pool = new BufferPool()
  readonly #running = new Map<string, SharedExport>()
  readonly #stopped = new StopMemory()

  constructor(services: ExportServices) {
    this.#services = services
  }

  /**
   * Claims a slot, or joins the job that exports this file already, then sends the range and ends the response; it resolves
   * however that ends. Throws before a byte was written only: `job-running`, `job-stopped` where a client goes on by range
   * with what was stopped a moment ago, and what `begin` throws. Closes the file, whatever happens.
   */
  async send(request: ExportRequest): Promise<void> {
    const { file, name, range, identity } = request
    const account = request.account ?? accountName(identity.account)
    const key = `${account}\n${name}${request.joins === false ? `\n${randomUUID()}` : ''}`
    try {
      const reader = `${identity.sessionId}\n${name}`
      this.#stopped.check(reader, range.start)
      const { shared, job } = await this.#join(key, account, request)
      if (range.start === 0 && range.end === file.file.size) this.#stopped.forget(reader)
      try {
        await this.#run(job, shared, request)
      } catch (error) {
        shared.failure ??= asProblem(error)
        throw error
      } finally {
        // A stop is answered once nothing is open. Else the slot is free first, because closing waits for a thread, and
        // whoever has read the last byte may ask for the next file already.
        if (job.signal.aborted) await file.close().catch(() => {})
        this.#leave(key, shared, job)
      }
    } finally {
      await file.close()
    }
  }

  /** Joins the job that runs, or starts one. The stream is counted in the same step, or the job could end in between. */
  async #join(key: string, account: string, request: ExportRequest): Promise<{ shared: SharedExport; job: Job }> {
    for (;;) {
      const shared = this.#running.get(key)
      if (!shared || isOver(shared)) return this.#begin(key, account, request)
      const job = await shared.starting.catch(() => undefined)
      // While it was waited for, it may have ended, or begun to.
      if (!job || this.#running.get(key) !== shared || isOver(shared)) continue
      if (request.rateLimit) job.limitRate(request.rateLimit)
      shared.streams++
      return { shared, job }
    }
  }

  async #begin(key: string, account: string, request: ExportRequest): Promise<{ shared: SharedExport; job: Job }> {
    const shared: SharedExport = { starting: this.#start(account, request), job: null, streams: 1, failure: null }
    this.#running.set(key, shared)
    try {
      shared.job = await shared.starting
      return { shared, job: shared.job }
    } catch (error) {
      this.#forget(key, shared)
      throw error
    }
  }

  #start(account: string, request: ExportRequest): Promise<Job> {
    return this.#services.jobs.start(
      {
        kind: 'export',
        id: request.jobId,
        accountId: request.identity.account.id,
        account,
        file: request.name,
        totalBytes: request.file.file.size,
        rateLimit: request.rateLimit ?? null,
      },
      turnOf(request),
    )
  }

  async #run(job: Job, shared: SharedExport, request: ExportRequest): Promise<void> {
    const { idleTimeoutMs, throttleOf, onFailure } = this.#services
    const { response, left, unsent } = request
    request.begin(job)
    // What a link sends counts as its owner's.
    const throttle = throttleOf(accountName(request.identity.account))
    const flow = new Flow({ job, shared: [throttle], idleTimeoutMs, signal: left, unsent })
    const endRevocation = stopWhenRevoked(job, request.identity)
    let progressed = false
    const onSent = () => {
      progressed = true
    }
    try {
      await send(request.file, request.range, response, { flow, pool: this.#pool, onSent })
      response.end()
      await unlessAborted(finished(response, { readable: false }), flow.signal)
    } catch (error) {
      // A reader that closes after some progress has what it wanted: the next range, or the end of its patience.
      const hasLeft = error instanceof Problem && error.code === 'client-left'
      const byReader = !job.signal.aborted && (hasLeft || left.aborted || response.destroyed)
      const problem = byReader ? clientLeft() : asProblem(error)
      if (!byReader) {
        this.#rememberStop(job, request)
        request.cut()
      }
      if (problem.code === 'internal') onFailure(problem.cause ?? problem)
      if (!(byReader && progressed)) shared.failure ??= problem
    } finally {
      endRevocation()
      flow.close()
    }
  }

  #rememberStop(job: Job, { identity, name }: ExportRequest): void {
    if (job.signal.aborted) this.#stopped.remember(`${identity.sessionId}\n${name}`, job)
  }

  #leave(key: string, shared: SharedExport, job: Job): void {
    shared.streams--
    if (shared.streams > 0) return
    this.#forget(key, shared)
    if (shared.failure || job.signal.aborted) {
      endByError(job, shared.failure ?? new Problem('internal', 'The export ended before its end.'))
    } else job.end({ state: 'done' })
  }

  /** A newer one may have taken its place, when this one was stopped and had not ended yet. */
  #forget(key: string, shared: SharedExport): void {
    if (this.#running.get(key) === shared) this.#running.delete(key)
  }
}

interface SharedExport {
  starting: Promise<Job>
  /** null until it has its slot. */
  job: Job | null
  streams: number
  failure: Problem | null
}

/** True where nobody can join it any more. */
function isOver({ job }: SharedExport): boolean {
  return job !== null && (job.signal.aborted || job.isEnded)
}
