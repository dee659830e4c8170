import { Command } from 'commander'
import { tablePath } from '../../protocol/routes.js'
import type { TableSummary } from '../../protocol/tables.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { Failure } from '../exit-codes.js'
import { formatCsv, formatRows, readRows } from '../rows.js'
import { openSession, type Session } from '../session.js'
import { formatSummary } from '../summary.js'
import { addWaitOptions, parseWait, type WaitValue } from '../wait-option.js'
import { printWhole, wholeFormat } from '../whole-rows.js'

interface Options {
  from?: string
  to?: string
  column?: string
  limit?: string
  offset?: string
  where?: string[]
  columns?: string
  sort?: string
  csv?: boolean
  format?: string
  summary?: boolean
  output?: string
  force?: boolean
  wait?: WaitValue
}

export function rowsCommand(context: Context): Command {
  const command = new Command('rows')
    .argument('<table>', 'the table to read')
    .option('--from <date>', 'only rows on or after this date')
    .option('--to <date>', 'only rows before this date')
    .option('--column <column>', "the date column (default: the table's date column)")
    .option('--limit <number>', 'the maximum number of rows (default: 100, or all with --csv and --json)')
    .option('--offset <number>', 'the number of rows to skip')
    .option(
      '--where <condition>',
      'only rows that match: Region=Europe, also != < <= > >= and ~ (contains); repeatable',
      collect,
    )
    .option('--columns <list>', 'only these columns, separated by commas')
    .option('--sort <list>', 'sort by these columns, separated by commas; - before one for the greatest first')
    .option('--csv', 'print CSV; --json prints one row per line')
    .option('--format <format>', 'csv, ndjson or parquet (default: by the ending of the output file, or csv)')
    .option('-o, --output <path>', 'write all rows to a file, or nothing of it if that fails')
    .option('--force', 'replace the file')
    .option('--summary', 'print a summary of the columns instead')
    .addHelpText('after', examples)
  return addWaitOptions(command).action(async (table: string, options: Options, command: Command) => {
    const session = await openSession(context, command)
    if (options.summary) await printSummary(session, table)
    else if (isWhole(session, options)) {
      const path = `${tablePath(table, 'rows')}?${queryOf(options)}`
      const wanted = { title: table, path, format: wholeFormat(session, options) ?? 'csv' }
      await printWhole(session, wanted, options, parseWait(options.wait, context.stderr))
    } else await printPage(session, table, options)
  })
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

const examples = `
Rows come in the order of the files, those of the oldest import first. Without --csv or --json columns are aligned for people.

Examples:
  $ filejobs rows sales
  $ filejobs rows sales --from 2014-10-01 --to 2014-11-01 --csv > october.csv
  $ filejobs rows sales --where 'Region=Europe' --where 'Units Sold>=1000' --sort -'Units Sold'
  $ filejobs rows sales --columns Region,Country -o sales.parquet
  $ filejobs rows sales --json | jq -r .Country
  $ filejobs rows sales --summary`

async function printSummary({ output, api }: Session, table: string): Promise<void> {
  // Reading millions of rows takes seconds.
  const timeoutMs = 10 * 60_000
  const summary = await (await api()).send<TableSummary>('GET', tablePath(table, 'summary'), { timeoutMs })
  output.result(summary, formatSummary(summary))
}

function isWhole(session: Session, options: Options): boolean {
  const { limit, offset, output: path, format } = options
  const paged = limit !== undefined || offset !== undefined
  const wanted = wholeFormat(session, options)
  if (paged && format !== undefined)
    throw new Failure('wrongUse', '--format is for all rows: leave out --limit and --offset.')
  if (path !== undefined && paged)
    throw new Failure('wrongUse', 'A file gets all rows: leave out --limit and --offset.')
  return path !== undefined || (wanted !== undefined && !paged)
}

async function printPage({ output, api, context }: Session, table: string, options: Options): Promise<void> {
  const { csv, limit = '100', offset = '0' } = options
  const wanted = { limit: parseCount(limit, '--limit', 1), offset: parseCount(offset, '--offset') }
  const { count, columns, rows } = await readRows(await api(), { table, query: queryOf(options), ...wanted })
  if (output.json) for (const row of rows) output.result(row, '')
  else if (csv) context.stdout.write(formatCsv(columns, rows))
  else {
    output.result(rows, formatRows(columns, rows))
    const more = options.limit === undefined ? '; --limit shows more, --csv prints all' : ''
    if (rows.length < count) output.note(`${rows.length} of ${count.toLocaleString('en')} rows${more}.`)
  }
}

function queryOf({ from, to, column, where, columns, sort }: Options): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ from, to, column, columns, sort })) {
    if (value !== undefined) query.set(name, value)
  }
  for (const condition of where ?? []) query.append('where', condition)
  return query
}
