import { join } from 'node:path'
import type { Problem } from '../../protocol/problems.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { StoredTable, TableStore } from '../stores/tables.js'
import type { ExportOutput } from '../transfers/export-output.js'
import { streamExport } from '../transfers/stream-export.js'
import type { StartChild } from './child.js'
import { engineTask } from './query-task.js'
import type { ResultFormat } from './result-messages.js'
import { openResult, type ResultStream } from './result-stream.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import { parseColumns, parseSort, type RowShape, selectRows } from './rows-select.js'
import { sendBatch } from './send-batch.js'
import type { TableRows, TextFormat } from './table-rows.js'
import { requireEngine } from './unavailable.js'

export interface TableExportServices {
  jobs: Jobs
  rows: TableRows
  tables: Pick<TableStore, 'stage' | 'ready' | 'folder'>
  idleTimeoutMs: number
  /** Starts the processes of sorted results and Parquet. */
  start: StartChild
  throttleOf(account: string): Throttle
  /** Called with server errors while rows are being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

export interface TableExportRequest extends JobRequest, ExportOutput {
  table: StoredTable
  filter: RowFilter & RowShape
  format: ResultFormat
  left: AbortSignal
}

/** Sends whole tables as text: claim → head → rows → flow → response → done. */
export class TableExports {
  readonly #services: TableExportServices

  constructor(services: TableExportServices) {
    this.#services = services
  }

  /**
   * Claims a slot, sends all rows and ends the response; resolves whatever the outcome. Throws only before a byte was
   * written: `invalid-request` for an invalid filter, `tables-unavailable`, and the errors of `Jobs.admit` and `begin`.
   */
  async send(request: TableExportRequest): Promise<void> {
    const { identity, table, filter, jobId: id } = request
    requireEngine()
    parseFilter(table, filter)
    parseColumns(table, filter)
    parseSort(table, filter)
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    const admission = this.#services.jobs.admit(
      { kind: 'export', id, ...owner, table: table.name },
      queueWaitOf(request),
    )
    let hasBegun = false
    const { result } = await runJob(admission, (run) => {
      const begin = (job: Job) => {
        request.begin(job)
        hasBegun = true
      }
      return this.#send(run, { ...request, begin })
    })
    await result.catch((problem: Problem) => {
      if (!hasBegun) throw problem
      if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
    })
  }

  async #send(run: JobRun, request: TableExportRequest): Promise<void> {
    const { rows } = this.#services
    const { table, filter, format, response } = request
    const isAsStored = format !== 'parquet' && filter.sort === undefined
    const open = isAsStored ? undefined : await this.#open(run, request)
    request.begin(run.job)
    await streamExport(run, request, this.#services, async (flow) => {
      const batches = open ? open.bytes() : rows.text(table, filter, format as TextFormat, flow.signal)
      for await (const batch of batches) await sendBatch(batch, response, flow)
    })
  }

  /** A result that is sorted or in another format comes from a process of its own, like that of a query. */
  async #open(run: JobRun, { table, filter, format, left }: TableExportRequest): Promise<ResultStream> {
    const { tables, start } = this.#services
    const signal = AbortSignal.any([run.signal, left])
    const condition = parseFilter(table, filter)
    const style = { dates: 'iso', moment: false } as const
    const sql = selectRows(table, parseColumns(table, filter), condition, { sort: parseSort(table, filter), style })
    const staged = tables.stage(run.job.id)
    run.onEnd(() => staged.remove())
    run.onEnd(await tables.ready(table.imports, signal))
    const output = join(staged.folder, staged.output)
    const values = condition?.values ?? {}
    const task = { ...engineTask(sql, [table]), isOfUser: false, values, maxRows: null, format, output }
    const result = await openResult({ task, folder: tables.folder, signal, start })
    run.onEnd(() => result.close())
    return result
  }
}
