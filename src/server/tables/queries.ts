import { join } from 'node:path'
import type { Problem } from '../../protocol/problems.js'
import { maxPageRows, type QueryAnswer } from '../../protocol/tables.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import { accountName } from '../stores/accounts.js'
import type { TableStore } from '../stores/tables.js'
import type { ExportOutput } from '../transfers/export-output.js'
import { type StreamLimits, streamExport } from '../transfers/stream-export.js'
import type { StartChild } from './child.js'
import { runQuery } from './query.js'
import { engineTask } from './query-task.js'
import type { ResultFormat } from './result-messages.js'
import { openResult } from './result-stream.js'
import { sendBatch } from './send-batch.js'
import { requireEngine } from './unavailable.js'

export interface QueryRequest extends JobRequest {
  sql: string
  limit?: number | undefined
  /** Aborted when the client disconnects, which ends the query. */
  left: AbortSignal
  /** Called once, when the job exists. */
  begin(job: Job): void
}

/** `limit` is the most rows to send; default: all. */
export interface QueryExportRequest extends Omit<QueryRequest, 'begin' | 'left'>, ExportOutput {
  format: ResultFormat
  left: AbortSignal
}

export interface QueryServices extends StreamLimits {
  jobs: Jobs
  tables: TableStore
  /** Starts the processes of queries. */
  start: StartChild
  /** Called with server errors while rows are being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

/** Runs users' queries as jobs: claim → a slot of the server → a process that can read their tables → result → done. */
export class Queries {
  readonly #services: QueryServices
  /** One slot is left to others, however many queries an account sends. */
  readonly #places = new Semaphore({ slots: 3, slotsPerKey: 2 })

  constructor(services: QueryServices) {
    this.#services = services
  }

  /** Throws `malformed-query`, `query-too-long`, `tables-unavailable`, `busy`, and the errors of `Jobs.admit`. */
  async run(request: QueryRequest): Promise<QueryAnswer> {
    const { result } = await runJob(this.#admit(request), (run) => this.#work(run, request))
    return result
  }

  /**
   * Sends all rows of the answer and ends the response; resolves whatever the outcome. Throws only before a byte was written: what
   * `run` throws.
   */
  async send(request: QueryExportRequest): Promise<void> {
    let hasBegun = false
    const begin = (job: Job) => {
      request.begin(job)
      hasBegun = true
    }
    const { result } = await runJob(this.#admit(request), (run) => this.#send(run, { ...request, begin }))
    await result.catch((problem: Problem) => {
      if (!hasBegun) throw problem
      if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
    })
  }

  #admit(request: QueryRequest) {
    const { identity, jobId: id, sql } = request
    requireEngine()
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    const query = sql.length > maxRecordedLength ? `${sql.slice(0, maxRecordedLength)}…` : sql
    return this.#services.jobs.admit({ kind: 'query', id, ...owner, query, startsLater: true }, queueWaitOf(request))
  }

  async #send(run: JobRun, request: QueryExportRequest): Promise<void> {
    const { tables, start } = this.#services
    const { identity, sql, limit = null, format, left, response } = request
    const signal = AbortSignal.any([run.signal, left])
    await this.#places.run(run.job.account, signal, async () => {
      run.start()
      const found = await tables.list(identity.account)
      const staged = tables.stage(run.job.id)
      run.onEnd(() => staged.remove())
      const output = join(staged.folder, staged.output)
      const task = { ...engineTask(sql, found), isOfUser: true, values: {}, maxRows: limit, format, output }
      run.onEnd(
        await tables.ready(
          found.flatMap(({ imports }) => imports),
          signal,
        ),
      )
      const result = await openResult({ task, folder: tables.folder, signal, start })
      run.onEnd(() => result.close())
      request.begin(run.job)
      await streamExport(run, request, this.#services, async (flow) => {
        for await (const batch of result.bytes()) await sendBatch(batch, response, flow)
      })
      run.job.rows = result.rows
    })
  }

  async #work(run: JobRun, { identity, sql, limit = maxPageRows, left, begin }: QueryRequest): Promise<QueryAnswer> {
    const { tables, start } = this.#services
    begin(run.job)
    run.stopWhenRevoked(identity)
    const signal = AbortSignal.any([run.signal, left])
    const answer = await this.#places.run(run.job.account, signal, async () => {
      run.start()
      const found = await tables.list(identity.account)
      const imports = found.flatMap((table) => table.imports)
      const release = await tables.ready(imports, signal)
      try {
        const maxRows = Math.min(limit, maxPageRows)
        return await runQuery({ sql, tables: found, folder: tables.folder, maxRows, signal, start })
      } finally {
        release()
      }
    })
    run.job.rows = answer.results.length
    return answer
  }
}

/** Characters of a query that the history keeps. */
const maxRecordedLength = 2000
