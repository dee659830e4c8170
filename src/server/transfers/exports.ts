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
}

/** One response of an export job, claimed and not yet begun. */
export interface ExportStream {
  job: Job
  /** Sends the range into `response` and ends it. `cut` must make the reader's end an error, whatever it has got so far. */
  run(response: Writable, cut: () => void): Promise<void>
}

/**
 * Sends files: claim → file store → flow → response → done. All open responses of one file for one account are one job
 * with several streams: a browser's seeking, or a client with several connections.
 */
export class Exports {
  readonly #services: ExportServices
  readonly #pool = new BufferPool()
  readonly #running = new Map<string, Promise<SharedExport>>()
  readonly #stopped = new StopMemory()

  constructor(services: ExportServices) {
    this.#services = services
  }

  /**
   * Claims a slot, or joins the job that exports this file already. Throws `job-running`, and `job-stopped` where a
   * client goes on by range with what was stopped a moment ago. Closes the file when it throws.
   */
  async claim(request: ExportRequest): Promise<ExportStream> {
    const { file, name, range, identity } = request
    const account = request.account ?? accountName(identity.account)
    const key = `${account}\n${name}${request.joins === false ? `\n${randomUUID()}` : ''}`
    try {
      this.#stopped.check(`${identity.sessionId}\n${name}`, range.start)
      const shared = await this.#join(key, account, request)
      shared.streams++
      return {
        job: shared.job,
        run: (response, cut) => this.#run(shared, request, response, cut).finally(() => this.#leave(key, shared)),
      }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async #join(key: string, account: string, request: ExportRequest): Promise<SharedExport> {
    const running = await this.#running.get(key)?.catch(() => undefined)
    if (running && !running.job.signal.aborted && !running.job.isEnded) {
      if (request.rateLimit) running.job.limitRate(request.rateLimit)
      return running
    }
    const started = this.#start(account, request)
    this.#running.set(key, started)
    try {
      return await started
    } catch (error) {
      if (this.#running.get(key) === started) this.#running.delete(key)
      throw error
    }
  }

  async #start(account: string, request: ExportRequest): Promise<SharedExport> {
    const job = await this.#services.jobs.start(
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
    return { job, streams: 0, failure: null }
  }

  async #run(shared: SharedExport, request: ExportRequest, response: Writable, cut: () => void): Promise<void> {
    const { job } = shared
    const { idleTimeoutMs, throttleOf } = this.#services
    // What a link sends counts as its owner's.
    const throttle = throttleOf(accountName(request.identity.account))
    const flow = new Flow({ job, shared: [throttle], idleTimeoutMs, signal: request.left })
    const endRevocation = stopWhenRevoked(job, request.identity)
    let progressed = false
    const onSent = () => {
      progressed = true
    }
    try {
      await send(request.file, request.range, response, { flow, pool: this.#pool, onSent })
      response.end()
      await finished(response, { readable: false, signal: flow.signal })
    } catch (error) {
      // A reader that closes after some progress has what it wanted: the next range, or the end of its patience.
      const byReader = !job.signal.aborted && (request.left.aborted || response.destroyed)
      if (!byReader) {
        this.#rememberStop(job, request)
        cut()
      }
      if (!(byReader && progressed)) shared.failure ??= byReader ? clientLeft() : asProblem(error)
    } finally {
      endRevocation()
      flow.close()
      await request.file.close()
    }
  }

  #rememberStop(job: Job, { identity, name }: ExportRequest): void {
    if (job.signal.aborted) this.#stopped.remember(`${identity.sessionId}\n${name}`, job)
  }

  #leave(key: string, shared: SharedExport): void {
    shared.streams--
    if (shared.streams > 0) return
    this.#running.delete(key)
    if (shared.failure || shared.job.signal.aborted) {
      endByError(shared.job, shared.failure ?? new Problem('internal', 'The export ended before its end.'))
    } else shared.job.end({ state: 'done' })
  }
}

interface SharedExport {
  job: Job
  streams: number
  failure: Problem | null
}
