import { Problem } from '../../protocol/problems.js'
import type { QueryAnswer } from '../../protocol/tables.js'
import type { StoredTable } from '../stores/tables.js'
import { type Child, startChild } from './child.js'
import type { QueryReport, QueryTask } from './query-messages.js'
import { quoteName, quoteText } from './sql-text.js'
import { columnExpression, unionColumns } from './union.js'

export interface QueryOptions {
  sql: string
  /** All tables of the account; it can read nothing else. */
  tables: StoredTable[]
  /** What the tables' paths are relative to. */
  folder: string
  /** The most rows to answer. */
  maxRows: number
  /** Milliseconds after which the process is killed. Default 30 s. */
  timeLimitMs?: number
  signal: AbortSignal
}

const maxAnswerBytes = 8 * 1024 ** 2
const memoryBytes = 256 * 1024 ** 2
/** With what node and the engine's own code take. */
const processMemoryBytes = 1024 ** 3
const defaultTimeLimitMs = 30_000

/**
 * Runs a user's query in a process of its own, which is dead when the promise settles. Throws the signal's reason if it
 * aborts, else `malformed-query`, `query-too-long` or `tables-unavailable`.
 */
export async function runQuery(options: QueryOptions): Promise<QueryAnswer> {
  const { folder, signal, timeLimitMs = defaultTimeLimitMs } = options
  signal.throwIfAborted()
  const child = startChild<QueryTask, QueryReport>('./query-child.js', { folder, memoryBytes: processMemoryBytes })
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_, reject) => {
    const limit = timeLimitMs / 1000
    const problem = new Problem('query-too-long', `The query was ended: it ran for ${limit} s, the most that it may.`)
    timer = setTimeout(() => reject(problem), timeLimitMs)
  })
  try {
    return await Promise.race([outcome(child, taskOf(options), signal), tooLong])
  } finally {
    clearTimeout(timer)
    await child.kill()
  }
}

function taskOf({ sql, tables, maxRows }: QueryOptions): QueryTask {
  return {
    sql,
    tables: tables.map((table) => ({
      name: table.name,
      select: viewOf(table),
      paths: table.imports.map((i) => i.path),
    })),
    maxRows,
    maxBytes: maxAnswerBytes,
    memoryBytes,
    threads: 1,
  }
}

/** What a query sees of a table: its imports' rows under the names of its columns. */
function viewOf(table: StoredTable): string {
  const columns = unionColumns(table)
  const parts = table.imports.map((part) => {
    const list = columns.map((column) => `${columnExpression(part, column)} AS ${quoteName(column.name)}`)
    return `SELECT ${list.join(', ')} FROM read_parquet(${quoteText(part.path)})`
  })
  return parts.join(' UNION ALL ')
}

function outcome(child: Child<QueryTask, QueryReport>, task: QueryTask, signal: AbortSignal): Promise<QueryAnswer> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    child.onReport((report) => {
      if (report.type === 'done') resolve(report.answer)
      else {
        const cause = report.trace === null ? undefined : new Error(report.trace)
        reject(new Problem(report.code, report.message, report.details, { cause }))
      }
    })
    // A process at its memory's limit dies of it where the engine cannot say so.
    child.gone.then(() => {
      const reason = 'The query needs more memory than a query may have'
      reject(new Problem('malformed-query', `${reason}.`, { reason }))
    })
    child.send(task)
  })
}
