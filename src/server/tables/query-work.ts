import type { QueryReport, QueryTask } from './query-messages.js'
import { executeQuery, warmQueries } from './query-run.js'
import type { ResultMessage, ResultReport } from './result-messages.js'
import { openResults } from './result-run.js'

/** What a process for queries is sent. */
export type QueryMessage = { type: 'answer'; task: QueryTask } | ResultMessage

/** Starts the engine, and handles the messages of a process that answers a query, or sends all of its result. */
export function openQueryWork(report: (report: QueryReport | ResultReport) => void): (message: QueryMessage) => void {
  let warm: ReturnType<typeof warmQueries> | undefined = warmQueries()
  const handleResult = openResults(report)
  return (message) => {
    const engine = warm
    warm = undefined
    if (message.type === 'answer') executeQuery(message.task, engine).then(report)
    else handleResult(message, engine)
  }
}
