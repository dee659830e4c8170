import { Problem } from '../../protocol/problems.js'
import type { QueryAnswer } from '../../protocol/tables.js'
import { type Child, notStarted, type StartChild, startChild } from './child.js'
import type { QueryReport, QueryTask } from './query-messages.js'
import { type QueryTaskOptions, queryProcess, queryTask } from './query-task.js'
import type { QueryMessage } from './query-work.js'

export interface QueryOptions extends QueryTaskOptions {
  /** The folder that the tables' paths are relative to. */
  folder: string
  /** Milliseconds after which the process is killed. Default 30 s. */
  timeLimitMs?: number
  signal: AbortSignal
  /** Starts the process; default: `startChild`. */
  start?: StartChild | undefined
}

const defaultTimeLimitMs = 30_000

/**
 * Runs a user's query in a child process, which has ended when the promise settles. Throws the signal's reason if it
 * aborts, otherwise `malformed-query`, `query-too-long`, `busy` or `tables-unavailable`.
 */
export async function runQuery(options: QueryOptions): Promise<QueryAnswer> {
  const { folder, signal, timeLimitMs = defaultTimeLimitMs, start = startChild } = options
  signal.throwIfAborted()
  const child = start<QueryMessage, QueryReport>(queryProcess(folder))
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    const limit = timeLimitMs / 1000
    const problem = new Problem('query-too-long', `The query was ended: it ran for ${limit} s, the most that it may.`)
    timer = setTimeout(() => reject(problem), timeLimitMs)
  })
  try {
    return await Promise.race([outcome(child, queryTask(options), signal), tooLong])
  } finally {
    clearTimeout(timer)
    await child.kill()
  }
}

function outcome(child: Child<QueryMessage, QueryReport>, task: QueryTask, signal: AbortSignal): Promise<QueryAnswer> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    child.onReport((report) => {
      if (report.type === 'done') resolve(report.answer)
      else {
        const cause = report.trace === null ? undefined : new Error(report.trace)
        reject(new Problem(report.code, report.message, report.details, { cause }))
      }
    })
    // A process that exceeds its memory limit ends when the engine cannot report it.
    child.gone.then((end) => {
      const reason = 'The query needs more memory than a query may have'
      reject(notStarted(end) ?? new Problem('malformed-query', `${reason}.`, { reason }))
    })
    child.send({ type: 'answer', task })
  })
}
