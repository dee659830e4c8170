import type { StoredTable } from '../../dist/server/stores/tables.js'
import { startChild } from '../../dist/server/tables/child.js'
import type { QueryReport } from '../../dist/server/tables/query-messages.js'
import { queryProcess, queryTask } from '../../dist/server/tables/query-task.js'
import type { QueryMessage } from '../../dist/server/tables/query-work.js'

export interface QueryProcess {
  /** The report of the process about a statement. Statements run one after another, each in a separate engine. */
  report(sql: string): Promise<QueryReport>
  close(): Promise<void>
}

/** The process that a query has to itself on a server, kept for many: starting it takes most of the time of a small one. */
export function openQueryProcess(folder: string, tables: StoredTable[]): QueryProcess {
  const child = startChild<QueryMessage, QueryReport>(queryProcess(folder))
  let take: (report: QueryReport) => void = () => {}
  child.onReport((report) => take(report))
  let last: Promise<unknown> = Promise.resolve()
  return {
    report(sql) {
      const next = last.then(
        () =>
          new Promise<QueryReport>((resolve, reject) => {
            take = resolve
            child.gone.then(({ lastWords }) => reject(new Error(`The process has ended: ${lastWords}`)))
            child.send({ type: 'answer', task: queryTask({ sql, tables, maxRows: 1000 }) })
          }),
      )
      last = next.catch(() => {})
      return next
    },
    close: () => child.kill(),
  }
}
