import { maxPageRows, type QueryAnswer } from '../../protocol/tables.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import { accountName } from '../stores/accounts.js'
import type { TableStore } from '../stores/tables.js'
import { runQuery } from './query.js'
import { requireEngine } from './unavailable.js'

export interface QueryRequest extends JobRequest {
  sql: string
  limit?: number | undefined
  /** Aborted when the client disconnects, which ends the query. */
  left: AbortSignal
  /** Called once, when the job exists. */
  begin(job: Job): void
}

export interface QueryServices {
  jobs: Jobs
  tables: TableStore
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
    const { identity, jobId: id } = request
    requireEngine()
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    const admission = this.#services.jobs.admit(
      { kind: 'query', id, ...owner, startsLater: true },
      queueWaitOf(request),
    )
    const { result } = await runJob(admission, (run) => this.#work(run, request))
    return result
  }

  async #work(run: JobRun, { identity, sql, limit = maxPageRows, left, begin }: QueryRequest): Promise<QueryAnswer> {
    const { tables } = this.#services
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
        return await runQuery({ sql, tables: found, folder: tables.folder, maxRows, signal })
      } finally {
        release()
      }
    })
    run.job.rows = answer.results.length
    return answer
  }
}
