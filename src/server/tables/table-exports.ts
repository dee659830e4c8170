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
import { clientLeft } from '../transfers/receiving.js'
import { stopWhenRevoked, turnOf } from '../transfers/uploads.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import type { TableRows, TextFormat } from './table-rows.js'
import { requireEngine } from './unavailable.js'

export interface TableExportServices {
  jobs: Jobs
  rows: TableRows
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
  /** Told of what broke in the server while rows were being sent: their reader only sees that the connection is cut. */
  onFailure(error: unknown): void
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
  /** Called once the job runs, to write the head of the response. Where it throws, nothing may have been written. */
  begin(job: Job): void
  response: Writable
  /** Must make the reader's end an error, whatever it has got so far. */
  cut(): void
}

/** Sends whole tables as text: claim → head → rows → flow → response → done. */
export class TableExports {
  readonly #services: TableExportServices

  constructor(services: TableExportServices) {
    this.#services = services
  }

  /**
   * Claims a slot, sends all rows and ends the response; it resolves however that ends. Throws before a byte was written
   * only: `invalid-request` for a filter that makes no sense, `tables-unavailable`, and what `Jobs.start` and `begin` throw.
   */
  async send(request: TableExportRequest): Promise<void> {
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
    try {
      request.begin(job)
    } catch (error) {
      throw endByError(job, error)
    }
    await this.#run(job, request)
  }

  async #run(job: Job, request: TableExportRequest): Promise<void> {
    const { rows, idleTimeoutMs, throttleOf, onFailure } = this.#services
    const { response, left, unsent } = request
    const flow = new Flow({ job, shared: [throttleOf(job.account)], idleTimeoutMs, signal: left, unsent })
    const endRevocation = stopWhenRevoked(job, request.identity)
    try {
      for await (const piece of rows.text(request.table, request.filter, request.format, flow.signal)) {
        await sendPiece(piece, response, flow)
      }
      response.end()
      await unlessAborted(finished(response, { readable: false }), flow.signal)
      job.end({ state: 'done' })
    } catch (error) {
      request.cut()
      const hasLeft = !job.signal.aborted && (left.aborted || response.destroyed)
      const problem = endByError(job, hasLeft ? clientLeft() : error)
      if (problem.code === 'internal') onFailure(problem.cause ?? problem)
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
