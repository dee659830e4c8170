import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { bind } from './bind.js'
import { EngineMissing, openEngine } from './engine.js'
import type { JsonValue } from './json-values.js'
import { maxRowsBytes, type RowsReport, type RowsTask } from './rows-messages.js'

type RunTask = Extract<RowsTask, { type: 'run' }>

/** Runs statements as they arrive, each task on its own connection, and returns their results. */
export function openRows(report: (report: RowsReport) => void): (task: RowsTask) => void {
  const connections = new Map<number, DuckDBConnection>()
  const cancelled = new Set<number>()
  let instance: Promise<DuckDBInstance> | undefined

  async function run(task: RunTask): Promise<void> {
    try {
      const connection = await (await instance!).connect()
      connections.set(task.id, connection)
      if (!cancelled.has(task.id)) report(await answer(connection, task))
      connection.closeSync()
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      report({ type: 'failed', id: task.id, message, missing: error instanceof EngineMissing })
    } finally {
      connections.delete(task.id)
      cancelled.delete(task.id)
    }
  }

  return (task) => {
    if (task.type === 'open') {
      instance = openEngine({ ...task, allowed: { folder: task.folder } })
      instance.catch(() => {})
    } else if (task.type === 'run') void run(task)
    else {
      cancelled.add(task.id)
      connections.get(task.id)?.interrupt()
    }
  }
}

async function answer(connection: DuckDBConnection, { id, statements, values, as }: RunTask): Promise<RowsReport> {
  if (as === 'bytes') {
    const [value] = (await (await bind(connection, statements[0]!, values)).runAndReadAll()).getRows()[0] ?? []
    const { DuckDBBlobValue } = await import('@duckdb/node-api')
    return { type: 'bytes', id, bytes: value instanceof DuckDBBlobValue ? value.bytes : new Uint8Array() }
  }
  const { toJson } = await import('./json-values.js')
  const rows: JsonValue[][] = []
  let bytes = 0
  for (const statement of statements) {
    const reader = await (await bind(connection, statement, values)).runAndReadAll()
    for (const row of reader.getRows()) {
      const record = row.map(toJson)
      bytes += Buffer.byteLength(JSON.stringify(record))
      if (bytes > maxRowsBytes && rows.length > 0) return { type: 'rows', id, rows }
      rows.push(record)
    }
  }
  return { type: 'rows', id, rows }
}
