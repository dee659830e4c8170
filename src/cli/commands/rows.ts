import { Command } from 'commander'
import { tablePath } from '../../protocol/routes.js'
import type { TableSummary } from '../../protocol/tables.js'
import { formatBytes } from '../../protocol/units.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { Failure } from '../exit-codes.js'
import { openHttpClient } from '../http-client.js'
import { wordNoRoom } from '../no-room.js'
import { openProgress } from '../progress.js'
import { formatCsv, formatRows, readRows, type TextTable } from '../rows.js'
import { openSession, type Session } from '../session.js'
import { formatSummary } from '../summary.js'
import { exportRows } from '../transfers/export-rows.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { openTarget, streamTarget } from '../transfers/targets.js'
import { addWaitOptions, parseWait, type WaitValue } from '../wait-option.js'

interface Options {
  from?: string
  to?: string
  column?: string
  limit?: string
  offset?: string
  csv?: boolean
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
    .option('--csv', 'print CSV; --json prints one row per line')
    .option('-o, --output <path>', 'write to a file: CSV, or one row per line with --json')
    .option('--force', 'replace the file')
    .option('--summary', 'print a summary of the columns instead')
    .addHelpText('after', examples)
  return addWaitOptions(command).action(async (table: string, options: Options, command: Command) => {
    const session = await openSession(context, command)
    if (options.summary) await printSummary(session, table)
    else if (isWhole(session, options)) await printWhole(session, table, options)
    else await printPage(session, table, options)
  })
}

const examples = `
The newest import comes first, and in it the last line. Without --csv or --json columns are aligned for people.

Examples:
  $ filejobs rows sales
  $ filejobs rows sales --from 2014-10-01 --to 2014-11-01 --csv > october.csv
  $ filejobs rows sales --json | jq -r .Country
  $ filejobs rows sales --summary`

async function printSummary({ output, api }: Session, table: string): Promise<void> {
  // Reading millions of rows takes seconds.
  const timeoutMs = 10 * 60_000
  const summary = await (await api()).send<TableSummary>('GET', tablePath(table, 'summary'), { timeoutMs })
  output.result(summary, formatSummary(summary))
}

function isWhole({ output }: Session, { csv, limit, offset, output: path }: Options): boolean {
  const paged = limit !== undefined || offset !== undefined
  if (path !== undefined && paged)
    throw new Failure('wrongUse', 'A file gets all rows: leave out --limit and --offset.')
  return path !== undefined || ((csv || output.json) && !paged)
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

async function printWhole(session: Session, table: string, options: Options): Promise<void> {
  const { output, server, userAgent, context } = session
  const { output: path, force = false } = options
  const toStdout = path === undefined || path === '-'
  const waitSeconds = parseWait(options.wait, session.context.stderr)
  const wanted: TextTable = {
    table,
    query: queryOf(options),
    mediaType: output.json && !options.csv ? 'application/x-ndjson' : 'text/csv',
  }
  const http = await openHttpClient(server, await session.token(), userAgent)
  const tools = { http, api: await session.api(), progress: await openProgress(output), note: output.note }
  try {
    await oneByOne(session, [{ name: table }], async (_, job) => {
      const open = async () => (toStdout ? streamTarget(context.stdout) : openTarget(path, { force }))
      const bytes = await exportRows(tools, wanted, open, waitSeconds, job).catch(wordNoRoom(path ?? 'stdout'))
      if (!toStdout) output.result({ table, path, bytes }, `Wrote ${table} to ${visible(path)} (${formatBytes(bytes)})`)
    })
  } finally {
    http.close()
  }
}

function queryOf({ from, to, column }: Options): Record<string, string> {
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(column === undefined ? {} : { column }),
  }
}
