import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { waitHeaders } from '../../client/transfer-options.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { QueryAnswer } from '../../protocol/tables.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { openProgress } from '../progress.js'
import { formatRows } from '../rows.js'
import { openSession, type Session } from '../session.js'
import { wordEnd } from '../transfers/broken-connection.js'
import { oneByOne } from '../transfers/one-by-one.js'
import type { OwnJob } from '../transfers/own-job.js'
import { waitForSlot } from '../transfers/slot-wait.js'
import { addWaitOptions, parseWait, type WaitValue } from '../wait-option.js'
import { printWhole, wholeFormat } from '../whole-rows.js'

interface Options {
  limit?: string
  csv?: boolean
  format?: string
  output?: string
  force?: boolean
  wait?: WaitValue
}

export function queryCommand(context: Context): Command {
  const command = new Command('query')
    .argument('<sql>', 'one SELECT over your tables; - reads it from stdin')
    .option('--limit <number>', 'the maximum number of rows (default: 1000 for people, else all)')
    .option('--csv', 'print all rows as CSV; --json prints one row per line')
    .option('--format <format>', 'csv, ndjson or parquet (default: by the ending of the output file, or csv)')
    .option('-o, --output <path>', 'write all rows to a file, or nothing of it if that fails')
    .option('--force', 'replace the file')
    .addHelpText('after', examples)
  return addWaitOptions(command).action(async (given: string, options: Options, command: Command) => {
    const session = await openSession(context, command)
    const limit = options.limit === undefined ? undefined : parseCount(options.limit, '--limit', 1)
    const sql = given === '-' ? await text(context.stdin) : given
    const waitSeconds = parseWait(options.wait, context.stderr)
    const format = wholeFormat(session, options)
    if (format) {
      const wanted = { title: 'the query', path: routes.query, body: { sql, limit }, format }
      await printWhole(session, wanted, options, waitSeconds)
      return
    }
    await oneByOne(session, [{ name: 'the query' }], async (_, job) => {
      print(session, await ask(session, { sql, limit }, waitSeconds, job))
    })
  })
}

const examples = `
The SQL is DuckDB's. It may run for 30 seconds; Ctrl-C stops it. With --csv, --json or -o all rows come,
however many; for people, 1,000 at most.
Put names in double quotes that have spaces or are words of SQL, such as "both".

Examples:
  $ filejobs query 'select Region, sum("Units Sold") from sales group by all'
  $ filejobs query 'describe sales'
  $ filejobs query 'from sales' -o sales.parquet
  $ filejobs query - --csv < report.sql`

/** Other queries may run first, each for up to half a minute. */
const answerMs = 10 * 60_000

async function ask(
  session: Session,
  query: { sql: string; limit: number | undefined },
  waitSeconds: number | null,
  job: OwnJob,
): Promise<QueryAnswer> {
  const api = await session.api()
  const progress = await openProgress(session.output)
  // A query that waits for a slot ends when its request is aborted, so it has a job to stop as well.
  job.begun = true
  progress.say('The query runs')
  const tools = { progress, note: session.output.note }
  try {
    return await waitForSlot(tools, { name: 'the query', waitSeconds, signal: job.signal }, (seconds) =>
      api.send<QueryAnswer>('POST', routes.query, {
        json: query,
        headers: { ...waitHeaders(seconds), [jobHeader]: job.id },
        timeoutMs: answerMs + (seconds ?? 0) * 1000,
        signal: job.signal,
      }),
    )
  } catch (error) {
    throw wordEnd(error, session.server, 'query', 'your tables')
  } finally {
    progress.end()
  }
}

function print({ output }: Session, { columns, results, truncated }: QueryAnswer): void {
  output.result(results, formatRows(columns, results))
  if (truncated) output.note(`first ${results.length.toLocaleString('en')} of more rows: --csv prints all`)
}
