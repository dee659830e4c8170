import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api'
import { Problem } from '../../protocol/problems.js'
import type { QueryAnswer } from '../../protocol/tables.js'
import { EngineMissing, openEngine, type WarmEngine, warmEngine } from './engine.js'
import { type JsonValue, toJson } from './json-values.js'
import { checkQuery, refused } from './query-guard.js'
import type { QueryReport, QueryTask } from './query-messages.js'
import { quoteName } from './sql-text.js'
import { tablesUnavailable } from './unavailable.js'

/** Runs one query of a user in this process, which ends after it. */
export async function executeQuery(task: QueryTask, warm?: WarmEngine): Promise<QueryReport> {
  try {
    return { type: 'done', answer: await collect(await openQuery(task, [], warm), task) }
  } catch (error) {
    const { code, message, details } = queryProblem(error, task)
    const trace = code === 'internal' && error instanceof Error ? (error.stack ?? null) : null
    return { type: 'failed', code, message, details, trace }
  }
}

/** An engine that has run a query, so that the next one finds all code of it in memory. */
export function warmQueries(): WarmEngine {
  const warm = warmEngine().then(async (instance) => {
    const connection = await instance.connect()
    const sql = 'SELECT 1 AS one'
    await parse(connection, sql)
    await collect(connection, { sql, maxRows: 1, maxBytes: 100 })
    connection.closeSync()
    return instance
  })
  warm.catch(() => {})
  return warm
}

/** A connection on which the SQL of a user may run: it was checked, and sees the user's tables. Others may use `paths` on it. */
export async function openQuery(
  task: Omit<QueryTask, 'maxRows' | 'maxBytes'>,
  paths: readonly string[],
  warm?: WarmEngine,
): Promise<DuckDBConnection> {
  const { threads, memoryBytes, sql } = task
  const readable = task.tables.flatMap((table) => table.paths)
  const instance = await openEngine({ threads, memoryBytes, allowed: { paths: [...readable, ...paths] } }, warm)
  const connection = await instance.connect()
  const used = checkQuery(await parse(connection, sql), new Set(task.tables.map(({ name }) => name)))
  for (const { name, select } of task.tables) {
    if (used.has(name)) await connection.run(`CREATE VIEW ${quoteName(name)} AS ${select}`)
  }
  await connection.run('SET lock_configuration = true')
  return connection
}

/** The engine's parse tree, as JSON. It contains `error` for anything but a SELECT. */
async function parse(connection: DuckDBConnection, sql: string): Promise<string> {
  const text = `SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true)`
  const [tree] = (await connection.runAndReadAll(text, [sql])).getRows()[0] ?? []
  return String(tree)
}

/** Reads only as much of the result as is returned: it is computed lazily. */
async function collect(
  connection: DuckDBConnection,
  { sql, maxRows, maxBytes }: Pick<QueryTask, 'sql' | 'maxRows' | 'maxBytes'>,
): Promise<QueryAnswer> {
  const result = await connection.stream(sql)
  const names = result.deduplicatedColumnNames()
  const columns = result.columnTypes().map((type, at) => ({ name: names[at]!, type: wordType(type) }))
  const results: Record<string, JsonValue>[] = []
  let bytes = 0
  for await (const rows of result.yieldRows()) {
    for (const row of rows) {
      if (results.length === maxRows) return { columns, results, truncated: true }
      const record = Object.fromEntries(row.map((value, at) => [names[at]!, toJson(value)]))
      bytes += Buffer.byteLength(JSON.stringify(record)) + 1
      if (bytes > maxBytes && results.length === 0) throw refused(tooLarge(maxBytes))
      if (bytes > maxBytes) return { columns, results, truncated: true }
      results.push(record)
    }
  }
  return { columns, results, truncated: false }
}

function tooLarge(maxBytes: number): string {
  return `The first row alone has more than ${maxBytes / 1024 ** 2} MiB, the most that an answer may have`
}

const words: Record<string, string> = {
  VARCHAR: 'text',
  BIGINT: 'integer',
  INTEGER: 'integer',
  SMALLINT: 'integer',
  TINYINT: 'integer',
  HUGEINT: 'integer',
  UBIGINT: 'integer',
  UINTEGER: 'integer',
  DOUBLE: 'double',
  FLOAT: 'double',
}

function wordType(type: DuckDBType): string {
  const name = String(type)
  return words[name] ?? name.toLowerCase()
}

/** The problem of a query that failed. */
export function queryProblem(error: unknown, { tables }: Pick<QueryTask, 'tables'>): Problem {
  if (error instanceof Problem) return error
  if (error instanceof EngineMissing) return tablesUnavailable()
  if (error instanceof RangeError) return refused('The query, or a value in its answer, is too large')
  const message = error instanceof Error ? error.message : String(error)
  if (message.startsWith('Out of Memory')) return refused('The query needs more memory than a query may have')
  if (/^(IO|Permission|HTTP|Fatal|INTERNAL) Error/i.test(message)) {
    return refused('The query cannot be run: a table was removed meanwhile, or it asks for what is not allowed')
  }
  if (!/^[A-Z][A-Za-z ]* Error: /.test(message))
    return new Problem('internal', 'The query failed.', {}, { cause: error })
  return refused(withoutPaths(message, tables).trim().replace(/\.$/, ''))
}

/** The engine quotes its source; only the table's name is the user's. */
function withoutPaths(message: string, tables: QueryTask['tables']): string {
  return tables.reduce(
    (text, { name, paths }) => paths.reduce((rest, path) => rest.replaceAll(path, name), text),
    message,
  )
}
