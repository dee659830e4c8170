import type { Receipt } from '../protocol/jobs.js'
import { jobHeader, jobPath, partOfHeader } from '../protocol/routes.js'
import { newUuid } from '../protocol/uuid.js'
import type { Api } from './api.js'
import { withReceipt } from './ended-job.js'
import { FilejobsError, hasCode } from './errors.js'

/** A transfer's job, as seen by the work on it. */
export interface TransferJob {
  /** Set by the client, so that it can stop the job before the response arrives. The server may assign another one. */
  id: string
  /** The job of many files that the transfer is a stream of; undefined for a job of its own. */
  readonly partOf?: string
  /** Aborted when the work must end. */
  readonly signal: AbortSignal
}

/** The headers of a request that starts the job, or is a stream of one of many files. */
export function ownJobHeaders({ id, partOf }: TransferJob): Record<string, string> {
  return partOf === undefined ? { [jobHeader]: id } : { [partOfHeader]: partOf }
}

/**
 * Stops its job on the server when the caller's signal aborts, and only then aborts the work: in the other order, the server
 * would record a client that has left.
 */
export class StoppableJob implements TransferJob {
  readonly #api: Api
  readonly #caller: AbortSignal | undefined
  readonly #leave = new AbortController()
  /** The receipt, null without one; undefined if the stop was too late. */
  #ending: Promise<Receipt | null | undefined> | undefined
  id = newUuid()

  /** Throws `aborted` if the signal is already. */
  constructor(api: Api, caller: AbortSignal | undefined) {
    this.#api = api
    this.#caller = caller
    if (caller?.aborted) throw aborted(caller, null)
    caller?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#leave.signal
  }

  /** What the failed work is reported as: `aborted` if the caller's signal has stopped it. */
  async explain(error: unknown): Promise<unknown> {
    const receipt = await this.#ending
    if (receipt !== undefined && this.#caller?.aborted) return aborted(this.#caller, receipt)
    return withReceipt(this.#api, this.id, error)
  }

  /** Ends the work, and the job if it is not at its end. Best effort: the server ends a job that no client continues by itself. */
  async stop(): Promise<void> {
    this.#ending ??= this.#stopOnServer()
    await this.#ending
  }

  /** Ignores the caller's signal from now on. */
  close(): void {
    this.#caller?.removeEventListener('abort', this.#onAbort)
  }

  readonly #onAbort = () => {
    this.#ending ??= this.#stopOnServer()
  }

  async #stopOnServer(): Promise<Receipt | null | undefined> {
    const ask = () => this.#api.send<Receipt>('POST', jobPath(this.id, 'stop'), { timeoutMs: 30_000 })
    try {
      const receipt = await ask()
      this.#leave.abort()
      return receipt
    } catch (error) {
      // Then the response to the transfer itself has the outcome.
      if (hasCode(error, 'already-published', 'not-running')) return undefined
      this.#leave.abort()
      // The request that starts the job may have overtaken the stop.
      return hasCode(error, 'job-not-found') ? ask().catch(() => null) : null
    }
  }
}

/** Runs the work of one job. Throws what `StoppableJob.explain` says. */
export async function runStoppable<T>(
  api: Api,
  caller: AbortSignal | undefined,
  work: (job: TransferJob) => Promise<T>,
): Promise<T> {
  const job = new StoppableJob(api, caller)
  try {
    return await work(job)
  } catch (error) {
    throw await job.explain(error)
  } finally {
    job.close()
  }
}

/** Stops the job of work that has failed on this side. Best effort, as in `StoppableJob.stop`. */
export async function abandonJob(api: Api, { id, signal }: TransferJob): Promise<void> {
  if (signal.aborted) return
  await api.send('POST', jobPath(id, 'stop'), { timeoutMs: 30_000 }).catch(() => {})
}

function aborted(signal: AbortSignal, receipt: Receipt | null): FilejobsError {
  const words = receipt?.message ?? 'The transfer was aborted; the server has confirmed no stop.'
  return new FilejobsError('aborted', words, { receipt, cause: signal.reason })
}
