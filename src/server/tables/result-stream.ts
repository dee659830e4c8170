import { createReadStream } from 'node:fs'
import { Problem } from '../../protocol/problems.js'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import { type Child, notStarted, type StartChild, startChild } from './child.js'
import { queryProcess } from './query-task.js'
import type { ResultMessage, ResultReport, ResultTask } from './result-messages.js'

export interface ResultOptions {
  task: ResultTask
  /** The folder that the tables' paths are relative to. */
  folder: string
  /** Milliseconds of the engine's work after which the process is killed. Default 30 s. */
  timeLimitMs?: number
  signal: AbortSignal
  /** Starts the process; default: `startChild`. */
  start?: StartChild | undefined
}

export interface ResultStream {
  /** All bytes, in batches that are computed on demand. Throws like `openResult`. */
  bytes(): AsyncGenerator<Uint8Array>
  /** Ends the process. */
  close(): Promise<void>
  /** Known at the end. */
  readonly rows: number
}

const defaultTimeLimitMs = 30_000

/**
 * Runs a SELECT in a child process, and resolves when the first bytes, or the whole Parquet file, are there. Throws the signal's
 * reason if it aborts, otherwise `malformed-query`, `query-too-long`, `busy` or `tables-unavailable`.
 */
export async function openResult(options: ResultOptions): Promise<ResultStream> {
  const { task, folder, signal, start = startChild } = options
  signal.throwIfAborted()
  const child = start<ResultMessage, ResultReport>(queryProcess(folder))
  const reports = new Reports(child, options)
  let rows = 0
  const close = () => child.kill()
  try {
    let report = await reports.after({ type: 'run', task })
    return {
      close,
      get rows() {
        return rows
      },
      async *bytes() {
        while (report.type === 'bytes') {
          yield report.bytes
          report = await reports.after({ type: 'next' })
        }
        rows = report.rows
        // Before the response ends: whose client asks for more at once must not find the job still ending.
        await close()
        if (task.format === 'parquet') yield* createReadStream(task.output, { signal, highWaterMark: 1024 ** 2 })
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Progress = Exclude<ResultReport, { type: 'failed' }>

/** The reports of the process, each to a message. */
class Reports {
  readonly #child: Child<ResultMessage, ResultReport>
  #pending: Deferred<Progress> = deferred()
  #leftMs: number

  constructor(child: Child<ResultMessage, ResultReport>, { signal, timeLimitMs = defaultTimeLimitMs }: ResultOptions) {
    this.#child = child
    this.#leftMs = timeLimitMs
    this.#pending.promise.catch(() => {})
    signal.addEventListener('abort', () => this.#pending.reject(signal.reason), { once: true })
    child.onReport((report) => {
      if (report.type !== 'failed') return this.#pending.resolve(report)
      const cause = report.trace === null ? undefined : new Error(report.trace)
      this.#pending.reject(new Problem(report.code, report.message, report.details, { cause }))
    })
    child.gone.then((end) => {
      const reason = 'The query needs more memory than a query may have'
      this.#pending.reject(notStarted(end) ?? new Problem('malformed-query', `${reason}.`, { reason }))
    })
  }

  async after(message: ResultMessage): Promise<Progress> {
    const pending = deferred<Progress>()
    this.#pending = pending
    const tooLong = new Problem('query-too-long', 'The query was ended: it ran for 30 s, the most that it may.')
    const timer = setTimeout(() => pending.reject(tooLong), this.#leftMs)
    this.#child.send(message)
    try {
      const report = await pending.promise
      if (report.type === 'bytes') this.#leftMs = Math.max(1, this.#leftMs - report.engineMs)
      return report
    } finally {
      clearTimeout(timer)
    }
  }
}
