import type { DuckDBConnection } from '@duckdb/node-api'
import { type Deferred, deferred } from '../concurrency/deferred.js'
import { bind } from './bind.js'
import { openEngine, type WarmEngine } from './engine.js'
import { type JsonValue, toJson } from './json-values.js'
import { openQuery, queryProblem } from './query-run.js'
import type { ResultMessage, ResultReport, ResultTask } from './result-messages.js'
import { quoteName, quoteText } from './sql-text.js'

const batchBytes = 256 * 1024

/** Runs one task: reports its result in batches, each when it is asked for, or writes it to a file. */
export function openResults(
  report: (report: ResultReport) => void,
): (message: ResultMessage, warm?: WarmEngine) => void {
  let asked: Deferred<void> = deferred()

  async function send(text: string, engineMs: number): Promise<void> {
    asked = deferred()
    report({ type: 'bytes', bytes: Buffer.from(text), engineMs })
    await asked.promise
  }

  async function run(task: ResultTask, warm: WarmEngine | undefined): Promise<void> {
    try {
      const connection = await open(task, warm)
      const rows = task.format === 'parquet' ? await write(connection, task) : await sendText(connection, task, send)
      report({ type: 'done', rows })
    } catch (error) {
      const { code, message, details } = queryProblem(error, task)
      const trace = code === 'internal' && error instanceof Error ? (error.stack ?? null) : null
      const reason = typeof details.reason === 'string' ? { reason: details.reason.replace(ownStatement, '') } : {}
      report({
        type: 'failed',
        code,
        message: message.replace(ownStatement, '.'),
        details: { ...details, ...reason },
        trace,
      })
    }
  }

  return (message, warm) => {
    if (message.type === 'run') void run(message.task, warm)
    else asked.resolve()
  }
}

async function open(task: ResultTask, warm: WarmEngine | undefined): Promise<DuckDBConnection> {
  const { threads, memoryBytes, output } = task
  if (task.isOfUser) return openQuery(task, [output], warm)
  const paths = [...task.tables.flatMap((table) => table.paths), output]
  return (await openEngine({ threads, memoryBytes, allowed: { paths } }, warm)).connect()
}

/** The rows are computed while they are read, as far as the SQL allows. */
async function sendText(
  connection: DuckDBConnection,
  { sql, values, format, maxRows }: ResultTask,
  send: (text: string, engineMs: number) => Promise<void>,
): Promise<number> {
  let engineMs = 0
  const compute = async <Computed>(work: Promise<Computed>): Promise<Computed> => {
    const startedAt = performance.now()
    const computed = await work
    engineMs += performance.now() - startedAt
    return computed
  }
  const result = await compute(bind(connection, sql, values).then((statement) => statement.stream()))
  const names = result.deduplicatedColumnNames()
  const lineOf = format === 'csv' ? csvLine : jsonLines(names)
  let text = format === 'csv' ? csvLine(names) : ''
  let left = maxRows ?? Infinity
  let rows = 0
  for (;;) {
    const chunk = await compute(result.fetchChunk())
    const count = Math.min(chunk?.rowCount ?? 0, left)
    if (!chunk || count === 0) break
    // Column by column, since a chunk that reads its rows asks the engine about each of them.
    const columns = names.map((_, at) => chunk.getColumnVector(at))
    for (let row = 0; row < count; row++) {
      text += lineOf(columns.map((column) => toJson(column.getItem(row))))
      if (text.length < batchBytes) continue
      await send(text, engineMs)
      text = ''
      engineMs = 0
    }
    rows += count
    left -= count
  }
  if (text !== '') await send(text, engineMs)
  return rows
}

/** As a view, the SQL needs no parentheses, which a comment at its end would take out. */
async function write(connection: DuckDBConnection, { sql, values, maxRows, output }: ResultTask): Promise<number> {
  const limit = maxRows === null ? '' : ` LIMIT ${maxRows}`
  const options = '(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, USE_TMP_FILE false)'
  const isPlain = Object.keys(values).length > 0
  if (!isPlain) await connection.run(`CREATE TEMP VIEW ${quoteName(viewName)} AS ${sql}`)
  const source = isPlain ? `SELECT * FROM (${sql})${limit}` : `SELECT * FROM ${quoteName(viewName)}${limit}`
  const copy = await bind(connection, `COPY (${source}) TO ${quoteText(output)} ${options}`, values)
  return (await copy.run()).rowsChanged
}

/** In the engine's words about an error, the place in our statement around the user's. */
const ownStatement = /\nLINE \d+: COPY \(.*$/s

/** No table of a user can have it. */
const viewName = 'the result'

function jsonLines(names: readonly string[]): (row: readonly JsonValue[]) => string {
  const keys = names.map((name) => `${JSON.stringify(name)}:`)
  return (row) => `{${row.map((value, at) => keys[at] + JSON.stringify(value)).join(',')}}\n`
}

/** RFC 4180, ended by LF. A missing value is empty, an empty text is quoted. */
function csvLine(row: readonly JsonValue[]): string {
  return `${row.map(csvField).join(',')}\n`
}

function csvField(value: JsonValue): string {
  if (value === null) return ''
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
