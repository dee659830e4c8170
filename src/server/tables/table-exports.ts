import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { Identity } from '../auth/identity.js'
import type { Job } from '../jobs/job.js'
import type { Jobs } from '../jobs/jobs.js'
import { endByError } from '../jobs/outcome.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { StoredTable } from '../stores/tables.js'
import { unlessAborted } from '../transfers/abortable.js'
import { Flow } from '../transfers/flow.js'
import { stopWhenRevoked, turnOf } from '../transfers/uploads.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import type { TableRows, TextFormat } from './table-rows.js'
import { requireEngine } from './unavailable.js'

export interface TableExportServices {
  jobs: Jobs
  rows: TableRows
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
}

export interface TableExportRequest {
  identity: Identity
  table: StoredTable
  filter: RowFilter
  format: TextFormat
  jobId: string | null
  waitMs: number
  /** Aborts when the reader's connection is gone. */
  left: AbortSignal
  /** Bytes of the response that the network has still to take. */
  unsent: () => number
}

/** An export that was claimed and not yet begun. */
export interface TableExport {
  job: Job
  /** Sends all rows into `response` and ends it. `cut` must make the reader's end an error, whatever it has got so far. */
  run(response: Writable, cut: () => void): Promise<void>
}

/** Sends whole tables as text: claim → rows → flow → response → done. */
export class TableExports {
  readonly #services: TableExportServices

  constructor(services: TableExportServices) {
    this.#services = services
  }

  /** Throws `invalid-request` for a filter that makes no sense, `tables-unavailable`, and what `Jobs.start` throws. */
  async claim(request: TableExportRequest): Promise<TableExport> {
    const { account } = request.identity
    requireEngine()
    parseFilter(request.table, request.filter)
    const job = await this.#services.jobs.start(
      {
        kind: 'export',
        id: request.jobId,
        accountId: account.id,
        account: accountName(account),
        table: request.table.name,
      },
      turnOf(request),
    )
    return { job, run: (response, cut) => this.#run(job, request, response, cut) }
  }

  async #run(job: Job, request: TableExportRequest, response: Writable, cut: () => void): Promise<void> {
    const { rows, idleTimeoutMs, throttleOf } = this.#services
    const flow = new Flow({
      job,
      shared: [throttleOf(job.account)],
      idleTimeoutMs,
      signal: request.left,
      unsent: request.unsent,
    })
    const endRevocation = stopWhenRevoked(job, request.identity)
    try {
      for await (const piece of rows.text(request.table, request.filter, request.format, flow.signal)) {
        await sendPiece(piece, response, flow)
      }
      response.end()
      await finished(response, { readable: false, signal: flow.signal })
      job.end({ state: 'done' })
    } catch (error) {
      cut()
      endByError(job, error)
    } finally {
      endRevocation()
      flow.close()
    }
  }
}

/** In steps, so that a limited export runs evenly. */
async function sendPiece(piece: Uint8Array, response: Writable, flow: Flow): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    const end = Math.min(piece.length, at + Math.max(1, Math.floor(Math.min(flow.step, longestStep))))
    await flow.pass(end - at)
    await unlessAborted(write(response, piece.subarray(at, end)), flow.signal)
    // Reading the next piece takes the engine a while, in which the reader is not to blame.
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
