import { randomUUID } from 'node:crypto'
import { finished } from 'node:stream/promises'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { unlessAborted } from '../concurrency/abortable.js'
import type { FolderJobs } from '../folders/folder-jobs.js'
import { checkHasNoJobId } from '../folders/job-id-check.js'
import type { Job } from '../jobs/job.js'
import { queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { asProblem } from '../jobs/outcome.js'
import type { JobRun } from '../jobs/run-job.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import { BufferPool } from './buffers.js'
import type { ExportRequest } from './export-request.js'
import { Flow } from './flow.js'
import { clientLeft } from './receiving.js'
import type { ExportReader, RecentStops } from './recent-stops.js'
import { send } from './sending.js'
import { maxStreams, SharedExport } from './shared-export.js'

export interface ExportServices {
  jobs: Jobs
  folders: Pick<FolderJobs, 'join'>
  clock: Clock
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
  stopped: RecentStops
  /** Called with server errors while a file is being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

/**
 * Sends files: claim → head → file store → flow → response → done. All open responses of one file for one account are
 * one job with several streams: for example a video player that seeks, or a client with several connections.
 */
export class Exports {
  readonly #services: ExportServices
  readonly #pool = new BufferPool()
  readonly #running = new Map<string, SharedExport>()

  constructor(services: ExportServices) {
    this.#services = services
  }

  /**
   * Claims a slot, or joins the running job of this file, then sends the range and ends the response. Resolves whatever
   * the outcome, with whether all of the range was sent. Throws only before the first byte: `job-running`, `job-stopped` if the client continues or repeats an
   * export that was just stopped, `RunsElsewhere` if another server has the job to join, and errors of `begin`. Always closes the file.
   */
  async send(request: ExportRequest): Promise<boolean> {
    const { file, name, range, identity } = request
    const account = request.account ?? accountName(identity.account)
    const { stopped } = this.#services
    if (request.partOf) return this.#sendPart(request.partOf, request)
    const key = `${account}\n${name}${request.joins === false ? `\n${randomUUID()}` : ''}`
    try {
      const reader = readerOf(request)
      await stopped.check(reader, range.start)
      const { shared, run } = await this.#join(key, account, request)
      if (range.start === 0 && range.end === file.file.size) stopped.forget(reader)
      try {
        const end = await this.#send(run, request)
        if (end?.isFault) shared.fail(end.problem)
        return end === null
      } catch (error) {
        shared.fail(error)
        throw error
      } finally {
        // After a stop, the file is closed before the answer. Otherwise the slot is freed first, because closing waits
        // for a thread, and a client that has read the last byte may already request the next file.
        if (run.signal.aborted) await file.close().catch(() => {})
        const left = shared.leave()
        if (shared.isOver) this.#forget(key, shared)
        await left
      }
    } finally {
      await file.close()
    }
  }

  /** Joins the running job, or starts one. The stream is counted in the same step, or the job could end in between. */
  async #join(key: string, account: string, request: ExportRequest): Promise<{ shared: SharedExport; run: JobRun }> {
    for (;;) {
      const shared = this.#running.get(key)
      if (!shared || shared.isOver) return this.#begin(key, account, request)
      const run = await shared.started().catch(() => undefined)
      // It may have ended meanwhile, or be ending.
      if (!run || this.#running.get(key) !== shared || shared.isOver) continue
      if (shared.isFull) throw tooManyStreams(request.name)
      if (request.rateLimit) run.job.limitRate(request.rateLimit)
      shared.enter()
      return { shared, run }
    }
  }

  async #begin(key: string, account: string, request: ExportRequest): Promise<{ shared: SharedExport; run: JobRun }> {
    const { identity, name: file, jobId: id, rateLimit = null } = request
    const owner = { accountId: identity.account.id, account }
    const totalBytes = request.file.file.size
    const plan = { kind: 'export' as const, id, ...owner, file, totalBytes, rateLimit }
    const shared = new SharedExport(
      this.#services.jobs.admit(plan, { ...queueWaitOf(request), joins: request.joins ?? true }),
    )
    this.#running.set(key, shared)
    try {
      return { shared, run: await shared.started() }
    } catch (error) {
      this.#forget(key, shared)
      throw error
    }
  }

  /** Like `send`, as one stream of a job of many files. */
  async #sendPart(partOf: string, request: ExportRequest): Promise<boolean> {
    const { file, name, range } = request
    const { size } = file.file
    let [hasBegun, isSent] = [false, false]
    try {
      checkHasNoJobId(request)
      await this.#services.folders.join(partOf, { ...request, kind: 'export' }, async (stream) => {
        stream.onEnd(() => file.close())
        const begin = (job: Job) => {
          request.begin(job)
          hasBegun = true
        }
        const end = await this.#send(stream, { ...request, begin })
        if (end) throw end.problem
        isSent = true
        // A client may export a file range by range.
        if (range.end === size) stream.fileDone({ name, size, status: 'new' })
      })
    } catch (error) {
      if (!hasBegun) throw error
    } finally {
      await file.close()
    }
    return isSent
  }

  /** Resolves with what ended it before its last byte; null if nothing did. */
  async #send(run: JobRun, request: ExportRequest): Promise<{ problem: Problem; isFault: boolean } | null> {
    const { throttleOf, onFailure, stopped } = this.#services
    const { identity, response, left, hungUp, unsent, silenceMs = Number.POSITIVE_INFINITY } = request
    const { carrier, job } = run
    const idleTimeoutMs = Math.min(this.#services.idleTimeoutMs, silenceMs)
    request.begin(job)
    // A link's transfers count towards its owner's limit.
    const throttle = throttleOf(accountName(identity.account))
    const flow = new Flow({ carrier, shared: [throttle], idleTimeoutMs, signal: left, hungUp, unsent })
    const endWatch = run.stopWhenRevoked(identity)
    let progressed = false
    const onSent = () => {
      progressed = true
    }
    try {
      await send(request.file, request.range, response, { flow, pool: this.#pool, onSent })
      response.end()
      await unlessAborted(finished(response, { readable: false }), flow.signal)
      return null
    } catch (error) {
      // A client that disconnects after some progress has what it wanted: the next range, or it gave up.
      const hasLeft = error instanceof Problem && error.code === 'client-left'
      const byReader = !run.signal.aborted && (hasLeft || left.aborted || response.destroyed)
      const problem = byReader ? clientLeft() : asProblem(error)
      if (run.signal.aborted) stopped.remember(readerOf(request), job)
      // Also if the client has closed its sending side only: it must not take the received part for the whole.
      request.cut()
      if (problem.code === 'internal') onFailure(problem.cause ?? problem)
      return { problem, isFault: !(byReader && progressed) }
    } finally {
      endWatch()
      flow.close()
    }
  }

  /** A newer one may have taken its place, if this one was stopped but had not ended yet. */
  #forget(key: string, shared: SharedExport): void {
    if (this.#running.get(key) === shared) this.#running.delete(key)
  }
}

function tooManyStreams(name: string): Problem {
  const message = `${name} is being read by ${maxStreams} connections of this account: close one first.`
  return new Problem('too-many-requests', message, { retryAfter: 5 })
}

function readerOf({ identity, name, repeater = null }: ExportRequest): ExportReader {
  return { sessionId: identity.sessionId, name, repeater }
}
