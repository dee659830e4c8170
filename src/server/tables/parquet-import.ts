import type { FileHandle } from 'node:fs/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'
import { checkedNames } from './csv-header.js'
import { maxColumns } from './csv-limits.js'
import type { ImportedColumn, ImportedCsv, ImportTask } from './import-messages.js'
import { EngineStumbled, translateEngineError } from './import-problems.js'
import { countNulls } from './import-sql.js'
import { refusedFile } from './other-formats.js'
import { findParquetType, type ParquetType } from './parquet-types.js'
import { quoteText } from './sql-text.js'

interface ParquetColumn extends ParquetType {
  readonly name: string
}

/**
 * Makes the engine read a Parquet file, by its path and its open handle, into another one, with columns `c0`, `c1`, … of the types
 * of tables. Throws `malformed-csv` for a damaged file and for binary columns, `invalid-request` for options that do not fit.
 */
export async function importParquet(
  engine: DuckDBConnection,
  task: ImportTask,
  { path, file }: { path: string; file: FileHandle },
): Promise<Omit<ImportedCsv, 'bytes' | 'outputSha256'>> {
  await checkEnds(file)
  try {
    return await convert(engine, task, path)
  } catch (error) {
    if (error instanceof Problem) throw error
    throw inWords(error)
  }
}

async function convert(engine: DuckDBConnection, task: ImportTask, path: string) {
  const { columns, rows, rowBytes, notes } = await describe(engine, task, path)
  await refuseNanoseconds(engine, columns, path)
  const aliases = columns.map((_, at) => `c${at}`)
  const values = columns.map(({ type, read }, at) => {
    const value = read(`c${at}`)
    return `${type === 'text' && task.trim ? `nullif(trim(${value}), '')` : value} AS c${at}`
  })
  const { rowsChanged } = await engine.run(`
    COPY (SELECT ${values.join(', ')} FROM ${sourceOf(path)} AS source(${aliases.join(', ')}))
    TO ${quoteText(task.output)} (
      FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize(columns.length, rowBytes)}, USE_TMP_FILE false)`)
  if (rowsChanged !== rows) throw new EngineStumbled(`it has ${rowsChanged} rows instead of ${rows}`)
  const nulls = await allNulls(engine, aliases, task.output)
  const imported: ImportedColumn[] = columns.map(({ name, type }, at) => {
    return { name, type, nulls: nulls[at]!, datePattern: null }
  })
  const dateColumn = dateColumnOf(columns, task)
  return { rows, columns: imported, dateColumn, skipped: { count: 0, first: [] }, notes }
}

/** A Parquet file begins and ends with its mark. */
async function checkEnds(file: FileHandle): Promise<void> {
  const { size } = await file.stat()
  const { buffer } = await file.read(Buffer.alloc(4), 0, 4, Math.max(0, size - 4))
  if (size >= smallestFile && buffer.toString('latin1') === 'PAR1') return
  throw refusedFile('The Parquet file is not whole: its end is missing. Upload it again.')
}

async function describe(engine: DuckDBConnection, { csvOptions }: ImportTask, path: string) {
  const types = (await engine.runAndReadAll(`DESCRIBE SELECT * FROM ${sourceOf(path)}`)).getRowsJS()
  const schema = await engine.runAndReadAll(`SELECT name, num_children FROM parquet_schema(${quoteText(path)})`)
  const given = topNames(schema.getRowsJS().map(([name, children]) => [String(name), Number(children ?? 0)]))
  if (types.length > maxColumns) throw refusedFile(`There are ${types.length} columns; ${maxColumns} are the most.`)
  if (given.length !== types.length) throw new EngineStumbled('its columns cannot be told apart')
  const { names, renamed } = checkedNames(1, given, { rename: csvOptions.renameColumns ?? false, advice: '' })
  for (const name of Object.keys(csvOptions.types ?? {})) if (!names.includes(name)) throw missing(name, 'types')
  const columns = names.map((name, at) => ({ name, ...typeOf(name, String(types[at]![1]), csvOptions) }))
  const sizes = await engine.runAndReadAll(`
    SELECT CAST(num_rows AS DOUBLE), (SELECT CAST(sum(total_uncompressed_size) AS DOUBLE) FROM parquet_metadata(${quoteText(path)}))
    FROM parquet_file_metadata(${quoteText(path)})`)
  const [rows, bytes] = sizes.getRowsJS()[0]!.map(Number) as [number, number]
  const notes = renamed.length > 0 ? [`Columns were given names: ${renamed.slice(0, 8).join(', ')}.`] : []
  notes.push(...notesOn(columns))
  return { columns, rows, rowBytes: bytes / Math.max(1, rows), notes }
}

/** The names of columns; those of what is nested in them follow each in the list. */
function topNames([root, ...rest]: [name: string, children: number][]): string[] {
  const names: string[] = []
  let at = 0
  for (let column = 0; column < (root?.[1] ?? 0); column++) {
    names.push(rest[at]![0].trim())
    for (let within = 1; within > 0; within--) within += rest[at++]?.[1] ?? 0
  }
  return names
}

function typeOf(name: string, engineType: string, { types, allText }: ImportTask['csvOptions']): ParquetType {
  const found = findParquetType(engineType)
  if (found === undefined) {
    const reason = `Column "${name}" is of the type ${engineType}: binary data cannot be imported; save the file without it.`
    throw refusedFile(reason)
  }
  const asked: ColumnType | undefined = types && Object.hasOwn(types, name) ? types[name] : allText ? 'text' : undefined
  if (asked === undefined || asked === found.type) return found
  if (asked === 'text') return { ...found, type: 'text', isNanoseconds: false, read: asText(found) }
  throw new Problem(
    'invalid-request',
    `types: column "${name}" is ${found.type} in the Parquet file; it can be imported so, or as text.`,
    { field: 'types' },
  )
}

function asText({ type, read }: ParquetType): ParquetType['read'] {
  return (value) => (type === 'text' ? read(value) : `CAST(${value} AS VARCHAR)`)
}

function notesOn(columns: readonly ParquetColumn[]): string[] {
  const notes = columns.flatMap(({ name, note }) => (note ? [`Column "${name}": ${note}`] : []))
  const more = notes.length - mostNotes
  return more > 0 ? [...notes.slice(0, mostNotes), `There are ${more} more notes of this kind.`] : notes
}

/** Times of tables have microseconds. */
async function refuseNanoseconds(
  engine: DuckDBConnection,
  columns: readonly ParquetColumn[],
  path: string,
): Promise<void> {
  const aliases = columns.map((_, at) => `c${at}`).join(', ')
  for (const [at, { name, isNanoseconds }] of columns.entries()) {
    if (!isNanoseconds) continue
    const finer = await engine.runAndReadAll(`
      SELECT 1 FROM ${sourceOf(path)} AS source(${aliases})
      WHERE CAST(CAST(c${at} AS TIMESTAMP) AS TIMESTAMP_NS) <> c${at} LIMIT 1`)
    if (finer.currentRowCount === 0) continue
    throw refusedFile(
      `Column "${name}" has times with nanoseconds, which would be lost: "--types ${name}=text" (types) keeps them as text.`,
    )
  }
}

function dateColumnOf(columns: readonly ParquetColumn[], { csvOptions }: ImportTask): string | null {
  const dated = columns.filter(({ type }) => type === 'date' || type === 'timestamp')
  const { dateColumn, dateColumnOptional } = csvOptions
  const found = dateColumn === undefined ? dated[0] : dated.find(({ name }) => name === dateColumn)
  if (dateColumn !== undefined && !found && !dateColumnOptional) throw missing(dateColumn, 'dateColumn', ' with dates')
  return found?.name ?? null
}

function missing(name: string, field: string, what = ''): Problem {
  return new Problem('invalid-request', `${field}: there is no column "${name}"${what} in the file.`, { field })
}

async function allNulls(engine: DuckDBConnection, columns: readonly string[], output: string): Promise<number[]> {
  const counted = await countNulls(engine, output)
  const unknown = columns.filter((column) => !counted.has(column))
  if (unknown.length > 0) {
    const counts = unknown.map((column) => `CAST(count(*) - count(${column}) AS DOUBLE)`)
    const reader = await engine.runAndReadAll(`SELECT ${counts.join(', ')} FROM ${sourceOf(output)}`)
    for (const [at, column] of unknown.entries()) counted.set(column, Number(reader.getRowsJS()[0]![at]))
  }
  return columns.map((column) => counted.get(column)!)
}

function sourceOf(path: string): string {
  return `read_parquet(${quoteText(path)}, hive_partitioning = false)`
}

/** The rows of a group are held in memory together. */
function rowGroupSize(columns: number, rowBytes: number): number {
  const rows = Math.min(2_000_000 / columns, (64 * 1024 ** 2) / Math.max(1, rowBytes))
  return Math.max(2048, Math.min(122_880, Math.floor(rows)))
}

function inWords(error: unknown): Error {
  try {
    translateEngineError(error)
  } catch (translated) {
    if (!(translated instanceof EngineStumbled)) return translated as Error
    const what = 'The Parquet file is damaged, or of a kind that cannot be read'
    return new Problem('malformed-csv', `${what}: ${translated.message}`, { line: null, column: null, reason: what })
  }
}

const smallestFile = 12
const mostNotes = 8
