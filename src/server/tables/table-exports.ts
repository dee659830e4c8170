import type { Writable } from 'node:stream'
import type { Problem } from '../../protocol/problems.js'
import { unlessAborted } from '../concurrency/abortable.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { StoredTable } from '../stores/tables.js'
import type { ExportOutput } from '../transfers/export-output.js'
import type { Flow } from '../transfers/flow.js'
import { streamExport } from '../transfers/stream-export.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import type { TableRows, TextFormat } from './table-rows.js'
import { requireEngine } from './unavailable.js'

export interface TableExportServices {
  jobs: Jobs
  rows: TableRows
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
  /** Called with server errors while rows are being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

export interface TableExportRequest extends JobRequest, ExportOutput {
  table: StoredTable
  filter: RowFilter
  format: TextFormat
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
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    const admission = this.#services.jobs.admit(
      { kind: 'export', id, ...owner, table: table.name },
      queueWaitOf(request),
    )
    let hasBegun = false
    const { result } = await runJob(admission, (run) => {
      request.begin(run.job)
      hasBegun = true
      return this.#send(run, request)
    })
    await result.catch((problem: Problem) => {
      if (!hasBegun) throw problem
      if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
    })
  }

  #send(run: JobRun, request: TableExportRequest): Promise<void> {
    const { rows } = this.#services
    const { table, filter, format, response } = request
    return streamExport(run, request, this.#services, async (flow) => {
      for await (const batch of rows.text(table, filter, format, flow.signal)) await sendBatch(batch, response, flow)
    })
  }
}

/** In steps, so that a rate-limited export runs evenly. */
async function sendBatch(batch: Uint8Array, response: Writable, flow: Flow): Promise<void> {
  for (let at = 0; at < batch.length; ) {
    const end = Math.min(batch.length, at + Math.max(1, Math.floor(Math.min(flow.step, longestStep))))
    await flow.pass(end - at)
    await unlessAborted(write(response, batch.subarray(at, end)), flow.signal)
    // Reading the next batch takes the engine a while, which must not count as a stall of the client.
    flow.touch()
    at = end
  }
}

const longestStep = 1024 ** 2

function write(sink: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    sink.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}
