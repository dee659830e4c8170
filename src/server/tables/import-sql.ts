import type { DuckDBConnection } from '@duckdb/node-api'
import { engineType } from './column-types.js'
import { quoteOfCopy } from './csv-copy.js'
import { maxLineBytes } from './csv-limits.js'
import type { CsvPlan, PlannedColumn } from './csv-plan.js'
import { isoDates } from './date-format.js'
import { quoteText } from './sql-text.js'

export interface ParquetInput {
  file: string
  /** The first line is a header, to be skipped. */
  header: boolean
  strict: boolean
  /**
   * Reads sequentially instead of in parallel blocks. Blocks are only for files without line breaks inside quotes: the
   * engine has been seen to take the middle of a value for its start, without an error.
   */
  inOrder: boolean
}

/**
 * Makes the engine read a CSV into a Parquet file, with rows in the order of the lines. Columns are called `c0`, `c1`,
 * …, so that names of the file never collide with the engine's. Returns the counts; null if it does not report them.
 */
export async function copyToParquet(
  engine: DuckDBConnection,
  plan: CsvPlan,
  input: ParquetInput,
  { output, trim }: { output: string; trim: boolean },
): Promise<{ rows: number; nulls: (number | null)[] }> {
  const main = mainDates(plan.columns)
  const columns = plan.columns.flatMap((column, at) =>
    column.isDropped ? [] : `${columnExpression(column, `c${at}`, main, trim)} AS c${at}`,
  )
  const { rowsChanged } = await engine.run(`
    COPY (SELECT ${columns.join(', ')} FROM ${csvSource(plan, input, main)})
    TO ${quoteText(output)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${rowGroupSize(plan)}, USE_TMP_FILE false)`)
  const counted = await countNulls(engine, output)
  return { rows: rowsChanged, nulls: plan.columns.map((_, at) => (trim ? null : (counted.get(`c${at}`) ?? null))) }
}

function csvSource(plan: CsvPlan, { file, header, strict, inOrder }: ParquetInput, main: string | undefined): string {
  const columns = plan.columns.map((column, at) => `'c${at}': '${sourceType(column, main)}'`)
  const options = [
    // Otherwise the engine detects types, dates and delimiters, separately for each file.
    'auto_detect = false',
    `columns = {${columns.join(', ')}}`,
    `header = ${header}`,
    `delim = ${quoteText(plan.delimiter)}`,
    `quote = ${quoteText(quoteOfCopy(plan))}`,
    `escape = ${quoteText(quoteOfCopy(plan))}`,
    // A file called x.csv.gz is read as it is.
    "compression = 'none'",
    "encoding = 'utf-8'",
    'null_padding = false',
    `strict_mode = ${strict}`,
    `parallel = ${!inOrder}`,
    `max_line_size = ${maxLineBytes + 1000}`,
    ...(main ? [`dateformat = ${quoteText(main)}`] : []),
  ]
  return `read_csv(${quoteText(file)}, ${options.join(', ')})`
}

/** The reader accepts one date format per file; columns with another are read as text and parsed afterwards. */
function mainDates(columns: PlannedColumn[]): string | undefined {
  return columns.find(({ type, isRewritten }) => type === 'date' && !isRewritten)?.dates.pattern
}

function sourceType(column: PlannedColumn, main: string | undefined): string {
  return column.type === 'date' && patternOf(column) !== main ? 'VARCHAR' : engineType(column.type)
}

/** Of the dates that the engine reads. */
function patternOf({ dates, isRewritten }: PlannedColumn): string {
  return isRewritten ? isoDates : dates.pattern
}

function columnExpression(column: PlannedColumn, name: string, main: string | undefined, trim: boolean): string {
  if (column.type === 'text' && trim) return `nullif(trim(${name}), '')`
  if (sourceType(column, main) === engineType(column.type)) return name
  return `CAST(strptime(trim(${name}), ${quoteText(patternOf(column))}) AS DATE)`
}

/** The rows of a group are held in memory together: many of a narrow table, few of a wide one. */
function rowGroupSize({ columns, rowBytes }: CsvPlan): number {
  const byCells = 2_000_000 / columns.length
  const byBytes = (64 * 1024 ** 2) / rowBytes
  return Math.max(2048, Math.min(122_880, Math.floor(Math.min(byCells, byBytes))))
}

/** The nulls of each column of a Parquet file, as far as the file says them. */
export async function countNulls(engine: DuckDBConnection, file: string): Promise<Map<string, number>> {
  const reader = await engine.runAndReadAll(`
    SELECT path_in_schema, CAST(sum(stats_null_count) AS DOUBLE), bool_and(stats_null_count IS NOT NULL)
    FROM parquet_metadata(${quoteText(file)}) GROUP BY ALL`)
  const counted = reader.getRowsJS().filter(([, , known]) => known === true)
  return new Map(counted.map(([name, count]) => [String(name), Number(count)]))
}
