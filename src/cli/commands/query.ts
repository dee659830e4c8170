import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { jobHeader, routes } from '../../protocol/routes.js'
import type { QueryAnswer } from '../../protocol/tables.js'
import type { Context } from '../context.js'
import { openProgress } from '../progress.js'
import { formatCsv, formatRows, parseCount } from '../rows.js'
import { openSession, type Session } from '../session.js'
import { wordEnd } from '../transfers/broken-connection.js'
import { oneByOne } from '../transfers/one-by-one.js'
import type { OwnJob } from '../transfers/own-job.js'
import { parseWait, waitHeaders, waitOption } from '../wait-option.js'

interface Options {
  limit?: string
  csv?: boolean
  wait?: string | true
}

export function queryCommand(context: Context): Command {
  return new Command('query')
    .argument('<sql>', 'one SELECT over your tables; - reads it from stdin')
    .option('--limit <number>', 'how many rows (default and most: 1000)')
    .option('--csv', 'print CSV; --json prints one row a line')
    .addOption(waitOption())
    .addHelpText('after', examples)
    .action(async (given: string, options: Options, command: Command) => {
      const session = await openSession(context, command)
      const limit = options.limit === undefined ? undefined : parseCount(options.limit, '--limit', 1)
      const sql = given === '-' ? await text(context.stdin) : given
      await oneByOne(session, [{ name: 'the query' }], async (_, job) => {
        print(session, await ask(session, { sql, limit }, parseWait(options.wait), job), options)
      })
    })
}

const examples = `
The SQL is DuckDB's. It may run for 30 seconds; Ctrl-C stops it. Names with spaces stand in double quotes.

Examples:
  $ filejobs query 'select Region, sum("Units Sold") from sales group by all'
  $ filejobs query 'describe sales'
  $ filejobs query - --csv < report.sql`

/** Others may be before it, each for half a minute. */
const answerMs = 10 * 60_000

async function ask(
  session: Session,
  query: { sql: string; limit: number | undefined },
  waitSeconds: number | null,
  job: OwnJob,
): Promise<QueryAnswer> {
  const api = await session.api()
  const progress = await openProgress(session.output)
  // One that waits for its turn leaves when its request is cut, and has a job to stop as well.
  job.begun = true
  progress.say('The query runs')
  try {
    return await api.send<QueryAnswer>('POST', routes.query, {
      json: query,
      headers: { ...waitHeaders(waitSeconds), [jobHeader]: job.id },
      timeoutMs: answerMs + (waitSeconds ?? 0) * 1000,
      signal: job.signal,
    })
  } catch (error) {
    throw wordEnd(error, session.server, 'query', 'your tables')
  } finally {
    progress.end()
  }
}

function print({ output, context }: Session, { columns, results, truncated }: QueryAnswer, { csv }: Options): void {
  if (output.json) for (const row of results) output.result(row, '')
  else if (csv) context.stdout.write(formatCsv(columns, results))
  else output.result(results, formatRows(columns, results))
  if (truncated) output.note(`Only the first ${results.length} rows: an answer has no more.`)
}
