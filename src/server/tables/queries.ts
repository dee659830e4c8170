import { maxPageRows, type QueryAnswer } from '../../protocol/tables.js'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { endByError } from '../jobs/outcome.js'
import { accountName } from '../stores/accounts.js'
import type { TableStore } from '../stores/tables.js'
import { stopWhenRevoked, turnOf } from '../transfers/uploads.js'
import { Gate } from './gate.js'
import { runQuery } from './query.js'
import { requireEngine } from './unavailable.js'

export interface QueryRequest {
  identity: Identity
  sql: string
  limit?: number | undefined
  jobId: string | null
  waitMs: number
  /** Aborts when whoever asked has left: the query is ended then. */
  left: AbortSignal
  /** Called once when its turn has come. */
  begin(job: Job): void
}

export interface QueryServices {
  jobs: Jobs
  tables: TableStore
}

/** Runs users' queries as jobs: claim → a process that can read their tables → answer → done. Two at a time on the server. */
export class Queries {
  readonly #services: QueryServices
  readonly #gate = new Gate(2)

  constructor(services: QueryServices) {
    this.#services = services
  }

  /** Throws `malformed-query`, `query-too-long`, `tables-unavailable`, and what `Jobs.start` throws. */
  async run(request: QueryRequest): Promise<QueryAnswer> {
    const { jobs, tables } = this.#services
    const { account } = request.identity
    requireEngine()
    const owner = { accountId: account.id, account: accountName(account) }
    const job = await jobs.start({ kind: 'query', id: request.jobId, ...owner }, turnOf(request))
    request.begin(job)
    const endRevocation = stopWhenRevoked(job, request.identity)
    const signal = AbortSignal.any([job.signal, request.left])
    try {
      const answer = await this.#gate.pass(signal, async () =>
        runQuery({
          sql: request.sql,
          tables: await tables.list(account),
          folder: tables.folder,
          maxRows: Math.min(request.limit ?? maxPageRows, maxPageRows),
          signal,
        }),
      )
      job.rows = answer.results.length
      job.end({ state: 'done' })
      return answer
    } catch (error) {
      throw endByError(job, error)
    } finally {
      endRevocation()
    }
  }
}
