import { chmod, type FileHandle, open, rm, stat } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { BadLine } from '../../protocol/tables.js'
import { type CsvCheck, checkCsv } from './csv-check.js'
import { type CsvPlan, planCsv } from './csv-plan.js'
import { openEngine } from './engine.js'
import type { ImportedCsv, ImportTask } from './import-messages.js'
import { adviceOn, asProblem, EngineStumbled, malformed, translateEngineError } from './import-problems.js'
import { copyToParquet, type ParquetInput } from './import-sql.js'

export type OnProgress = (part: number) => void

interface Run {
  readonly task: ImportTask
  readonly plan: CsvPlan
  readonly engine: DuckDBConnection
  readonly source: FileHandle
  readonly size: number
  /** How much of the file was checked, of 1. */
  checked: number
  /** The check of the bad lines came first, and the engine follows. */
  copying: boolean
  /** How much is done, of 1: what was told last. */
  part: number
}

const progressEveryMs = 250
/** What the check takes of an import in which the engine works after it. */
const checkShare = 0.3

/**
 * Imports a CSV into a Parquet file, synced, and reports progress four times a second. Throws a Problem; the files that it
 * leaves then are removed by who started the process.
 */
export async function importFile(task: ImportTask, onProgress: OnProgress): Promise<ImportedCsv> {
  const source = await open(task.source)
  try {
    const before = await source.stat()
    const [plan, engine] = await Promise.all([planCsv(source, task.wishes), connect(task)])
    const run: Run = { task, plan, engine, source, size: before.size, checked: 0, copying: false, part: 0 }
    const timer = setInterval(() => onProgress(partDone(run)), progressEveryMs)
    const check = await read(run).finally(() => clearInterval(timer))
    const after = await source.stat()
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw malformed({ line: 1, column: null, reason: 'the file was changed while it was read' })
    }
    return describe(plan, check, await makeDurable(task.output))
  } catch (error) {
    throw asProblem(error)
  } finally {
    await source.close()
  }
}

async function connect({ threads, memoryBytes, source, copy, output }: ImportTask): Promise<DuckDBConnection> {
  const allowed = { paths: [source, copy, output] }
  const instance = await openEngine({ threads, memoryBytes: engineBytes(memoryBytes), allowed })
  const connection = await instance.connect()
  // Without it there is no progress to ask for.
  await connection.run('SET enable_progress_bar = true; SET enable_progress_bar_print = false')
  return connection
}

async function read(run: Run): Promise<CsvCheck> {
  if (run.task.skipBadLines || run.plan.header === 'odd') return await readCopy(run)
  return (await readDirectly(run)) ?? (await readCopy(run))
}

/**
 * The engine reads the file while we check it. What is bad for us ends the import; where only the engine stumbles, over
 * mixed line ends for one, or might be wrong, the answer is undefined.
 */
async function readDirectly(run: Run): Promise<CsvCheck | undefined> {
  const inOrder = run.task.threads === 1 || run.plan.multiline
  const input = { file: run.task.source, header: run.plan.header === 'plain', strict: true, inOrder }
  const [check, agrees] = await Promise.all([
    checkCsv(run.source, run.plan, { skipBadLines: false, onBytes: noteChecked(run) }).then((check) =>
      refuseBad(check, run),
    ),
    readByEngine(run, input).catch(undefinedWhereItStumbled),
  ])
  const trusted = !check.odd && (inOrder || !check.multiline)
  return trusted && agrees?.(check) ? check : undefined
}

/** Writes the good lines to a file that the engine cannot misunderstand, then has it read that. */
async function readCopy(run: Run): Promise<CsvCheck> {
  run.copying = true
  const copy = await open(run.task.copy, 'w', 0o600)
  try {
    const { skipBadLines, threads } = run.task
    const check = await checkCsv(run.source, run.plan, { skipBadLines, copyTo: copy, onBytes: noteChecked(run) })
    if (!skipBadLines || check.rows === 0) refuseBad(check, run)
    const input = { file: run.task.copy, header: false, strict: false, inOrder: true }
    const inBlocks = threads > 1 && !check.multiline
    const agrees = inBlocks
      ? ((await readByEngine(run, { ...input, inOrder: false }).catch(undefinedWhereItStumbled)) ??
        (await readByEngine(run, input)))
      : await readByEngine(run, input)
    if (!agrees(check)) throw new Error('The engine reads other rows than the check.')
    return check
  } finally {
    await copy.close()
    await rm(run.task.copy, { force: true })
  }
}

function undefinedWhereItStumbled(error: unknown): undefined {
  if (!(error instanceof EngineStumbled)) throw error
}

function refuseBad(check: CsvCheck, { task }: Run): CsvCheck {
  const first: BadLine | undefined = check.bad.first[0]
  if (first) throw malformed(first, adviceOn(first, task))
  return check
}

/** Returns whether its rows and empty fields are as many as ours: what it dropped or made up would show there. */
async function readByEngine(run: Run, input: ParquetInput): Promise<(check: CsvCheck) => boolean> {
  await rm(run.task.output, { force: true })
  const { rows, nulls } = await copyToParquet(run.engine, run.plan, input, run.task).catch(translateEngineError)
  return (check) => rows === check.rows && check.nulls.every((count, at) => (nulls[at] ?? count) === count)
}

function noteChecked(run: Run): (bytes: number) => void {
  return (bytes) => {
    run.checked = bytes / run.size
  }
}

/** It never goes back, though the engine forgets its progress at its end. */
function partDone(run: Run): number {
  const { engine, checked, copying } = run
  const engineDone = Math.min(1, Math.max(0, engine.progress.percentage / 100))
  const part = copying
    ? checked * checkShare + (checked < 1 ? 0 : engineDone * (1 - checkShare))
    : Math.min(checked, engineDone)
  run.part = Math.max(run.part, part)
  return run.part
}

async function makeDurable(output: string): Promise<number> {
  // Nothing of ours writes to it again; the engine would, for whoever made it copy to a path that it may read.
  await chmod(output, 0o400)
  const file = await open(output)
  await file.sync().finally(() => file.close())
  return (await stat(output)).size
}

function describe(plan: CsvPlan, check: CsvCheck, bytes: number): ImportedCsv {
  const columns = plan.columns.map(({ name, type, dates, unpadded }, at) => {
    const pattern = unpadded ? dates.pattern.replace(/%([md])/g, '%-$1') : dates.pattern
    return { name, type, nulls: check.nulls[at]!, datePattern: type === 'date' ? pattern : null }
  })
  return { rows: check.rows, columns, dateColumn: plan.dateColumn, skipped: check.bad, notes: plan.notes, bytes }
}

/** What the process may have, without what it needs beside the engine's own. */
function engineBytes(memoryBytes: number): number {
  return Math.max(memoryBytes / 2, memoryBytes - besideEngineBytes)
}

const besideEngineBytes = 96 * 1024 ** 2
