import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, type FileHandle, open, rm, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { type CsvCheck, checkCsv } from './csv-check.js'
import { openEngine, type WarmEngine } from './engine.js'
import { adviseFurther } from './further-advice.js'
import type { ImportedCsv, ImportTask } from './import-messages.js'
import { EngineStumbled, importProblem, malformed, translateEngineError } from './import-problems.js'
import { type PreparedSource, prepareSource } from './import-source.js'
import { copyToParquet, type ParquetInput } from './import-sql.js'
import { importParquet } from './parquet-import.js'
import { inOriginal, notesOf, type PlannedFile, planText, refuseBad } from './planned-file.js'

export type OnProgress = (part: number) => void

interface Run extends PlannedFile {
  readonly engine: DuckDBConnection
  readonly path: string
  readonly size: number
  readonly progress: Progress
}

/** How far an import is; each part from 0 to 1. */
interface Progress {
  engine: DuckDBConnection | undefined
  /** How much of the file has been decompressed, decoded or converted, where it has to be. */
  prepared: number
  isPrepared: boolean
  /** The checked part of the file. */
  checked: number
  /** The check of the bad lines runs first, before the engine. */
  copying: boolean
  /** The last reported progress. */
  part: number
}

const progressEveryMs = 250
/** The share of the check in an import in which the engine runs after it. */
const checkShare = 0.3
/** The share of what comes before the check. */
const preparedShare = 0.4

/**
 * Imports a file into a Parquet file, synced, and reports progress four times a second. Throws a Problem; the parent
 * process then removes the remaining files.
 */
export async function importFile(task: ImportTask, onProgress: OnProgress, warm?: WarmEngine): Promise<ImportedCsv> {
  const source = await open(task.source)
  const progress: Progress = {
    engine: undefined,
    prepared: 0,
    isPrepared: false,
    checked: 0,
    copying: false,
    part: 0,
  }
  const timer = setInterval(() => onProgress(partDone(progress)), progressEveryMs)
  try {
    const before = await source.stat()
    const onBytes = (bytes: number) => {
      progress.prepared = bytes / before.size
    }
    const [prepared, engine] = await Promise.all([prepareSource(task, source, onBytes), connect(task, warm)])
    progress.engine = engine
    progress.isPrepared = prepared.file !== task.source
    const imported = await importPrepared(task, prepared, engine, source, progress)
    const after = await source.stat()
    if (after.size !== before.size || after.mtimeMs !== before.mtimeMs) {
      throw malformed({ line: 1, column: null, reason: 'the file was changed while it was read' })
    }
    clearInterval(timer)
    return { ...imported, ...(await makeDurable(task.output)) }
  } catch (error) {
    throw importProblem(error)
  } finally {
    clearInterval(timer)
    await source.close()
  }
}

async function importPrepared(
  task: ImportTask,
  { kind, file: path, converted }: PreparedSource,
  engine: DuckDBConnection,
  original: FileHandle,
  progress: Progress,
): Promise<Omit<ImportedCsv, 'bytes' | 'outputSha256'>> {
  const source = path === task.source ? original : await open(path)
  try {
    if (kind === 'parquet') {
      progress.checked = 1
      return await importParquet(engine, task, { path, file: source })
    }
    const plan = await planText(source, task, converted)
    const { size } = await source.stat()
    const run: Run = { task, plan, engine, path, source, size, converted, progress }
    return await describe(run, await read(run))
  } catch (error) {
    throw await adviseFurther(error, { task, source, converted })
  } finally {
    if (source !== original) await source.close()
  }
}

async function connect(
  { threads, memoryBytes, source, text, copy, output }: ImportTask,
  warm: WarmEngine | undefined,
): Promise<DuckDBConnection> {
  const allowed = { paths: [source, text, copy, output] }
  const instance = await openEngine({ threads, memoryBytes: engineBytes(memoryBytes), allowed }, warm)
  const connection = await instance.connect()
  // Without its progress bar the engine reports no progress. Its cache of files takes the second output of an import for the
  // first, where both have the same size and were written within a second.
  await connection.run(`
    SET enable_progress_bar = true; SET enable_progress_bar_print = false;
    SET enable_external_file_cache = false`)
  return connection
}

async function read(run: Run): Promise<CsvCheck> {
  if (run.task.skipBadLines || run.plan.header === 'odd' || run.plan.isRewritten) return await readCopy(run)
  return (await readDirectly(run)) ?? (await readCopy(run))
}

/**
 * The engine reads the file while it is being checked. An error of the check ends the import; if only the engine fails,
 * for example on mixed line endings, or might be wrong, the result is undefined.
 */
async function readDirectly(run: Run): Promise<CsvCheck | undefined> {
  const inOrder = run.task.threads === 1 || run.plan.multiline
  const input = { file: run.path, header: run.plan.header === 'plain', strict: true, inOrder }
  const [check, agrees] = await Promise.all([
    checkCsv(run.source, run.plan, { skipBadLines: false, onBytes: noteChecked(run) }).then((check) =>
      refuseBad(check, run),
    ),
    readByEngine(run, input).catch(undefinedWhereItStumbled),
  ])
  const trusted = !check.odd && (inOrder || !check.multiline)
  return trusted && agrees?.(check) ? check : undefined
}

/** Writes the valid lines to a file that the engine reads correctly, and imports that. */
async function readCopy(run: Run): Promise<CsvCheck> {
  run.progress.copying = true
  const copy = await open(run.task.copy, 'w', 0o600)
  try {
    const { skipBadLines, threads } = run.task
    const check = await checkCsv(run.source, run.plan, { skipBadLines, copyTo: copy, onBytes: noteChecked(run) })
    if (!skipBadLines || check.rows === 0) await refuseBad(check, run)
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

/**
 * Resolves with a function that compares the numbers of rows and empty fields with those of the check: a difference shows
 * that the engine lost or added values.
 */
async function readByEngine(run: Run, input: ParquetInput): Promise<(check: CsvCheck) => boolean> {
  await rm(run.task.output, { force: true })
  const { rows, nulls } = await copyToParquet(run.engine, run.plan, input, run.task).catch(translateEngineError)
  return (check) => rows === check.rows && check.nulls.every((count, at) => (nulls[at] ?? count) === count)
}

function noteChecked({ progress, size }: Run): (bytes: number) => void {
  return (bytes) => {
    progress.checked = bytes / size
  }
}

/** Never decreases, although the engine resets its progress at the end. */
function partDone(progress: Progress): number {
  const { engine, prepared, isPrepared, checked, copying } = progress
  progress.part = Math.max(progress.part, engine ? partOf(engine) : prepared * preparedShare)
  return progress.part

  function partOf({ progress: { percentage } }: DuckDBConnection): number {
    const engineDone = Math.min(1, Math.max(0, percentage / 100))
    const part = copying
      ? checked * checkShare + (checked < 1 ? 0 : engineDone * (1 - checkShare))
      : Math.min(checked, engineDone)
    return isPrepared ? preparedShare + part * (1 - preparedShare) : part
  }
}

async function makeDurable(output: string): Promise<Pick<ImportedCsv, 'bytes' | 'outputSha256'>> {
  // The server does not write to it again, but a statement that copies to a readable path would.
  await chmod(output, 0o400)
  const file = await open(output)
  await file.sync().finally(() => file.close())
  const hash = createHash('sha256')
  await pipeline(createReadStream(output, { highWaterMark: 1024 ** 2 }), hash)
  return { bytes: (await stat(output)).size, outputSha256: hash.digest('hex') }
}

async function describe(run: Run, check: CsvCheck): Promise<Omit<ImportedCsv, 'bytes' | 'outputSha256'>> {
  const { plan } = run
  const imported = plan.columns.filter(({ isDropped }) => !isDropped)
  const columns = imported.map(({ name, type, dates, unpadded }, at) => {
    const pattern = unpadded ? dates.pattern.replace(/%([md])/g, '%-$1') : dates.pattern
    return { name, type, nulls: check.nulls[at]!, datePattern: type === 'date' ? pattern : null }
  })
  const first = (await inOriginal(check.bad.first, run)).map(({ line, column, reason }) => ({ line, column, reason }))
  const skipped = { count: check.bad.count, first }
  const notes = notesOf(run).map(({ text }) => text)
  return { rows: check.rows, columns, dateColumn: plan.dateColumn, skipped, notes }
}

/** The memory of the process, without the part it needs besides the engine's. */
function engineBytes(memoryBytes: number): number {
  return Math.max(memoryBytes / 2, memoryBytes - besideEngineBytes)
}

const besideEngineBytes = 96 * 1024 ** 2
