import { Command } from 'commander'
import { listJobs } from '../../client/listing.js'
import { jobKinds, jobStates } from '../../protocol/job-kinds.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { invalidOption } from '../../protocol/options/option-values.js'
import { isProblemCode } from '../../protocol/problems.js'
import { parseChoices, parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { jobColumns } from '../job-table.js'
import { parsePastTime } from '../past-time.js'
import { openSession } from '../session.js'
import { formatTable } from '../table.js'

interface Options {
  all?: boolean
  state?: string
  kind?: string
  limit?: string
  account?: string
  error?: string
  since?: string
  watch?: boolean
}

export function jobsCommand(context: Context): Command {
  return new Command('jobs')
    .option('--all', 'jobs of every account (admin)')
    .option(
      '--state <state>',
      'only jobs in these states: waiting, running, paused, interrupted, committing, done, stopped, failed',
    )
    .option('--kind <kind>', 'only jobs of this kind: upload, export, import or query')
    .option('--error <code>', 'only jobs that failed with this code, such as digest-mismatch')
    .option('--since <time>', 'only jobs that ended since then, or run: 7d, or a date such as 2026-11-20')
    .option('--account <account>', 'jobs of this account, ROLE:USERNAME (admin)')
    .option('--limit <number>', 'the maximum number of jobs, newest first (default: 20)')
    .option('--watch', 'show live updates; press q to quit')
    .addHelpText('after', examples)
    .action(async (options: Options, command: Command) => {
      const limit = parseCount(options.limit ?? '20', '--limit', 1)
      if (options.state !== undefined) parseChoices(options.state, '--state', jobStates)
      if (options.kind !== undefined) parseChoices(options.kind, '--kind', jobKinds)
      checkFilters(options)
      const from = options.since === undefined ? undefined : parsePastTime(options.since, '--since')
      const session = await openSession(context, command)
      if (options.watch) {
        const { watchJobs } = await import('../watch/watch-jobs.js')
        return watchJobs(session, { ...options, limit })
      }
      const { output, api } = session
      const jobs: JobRecord[] = []
      for await (const job of listJobs(await api(), { ...options, from }, limit)) {
        if (output.json) output.result(job, '')
        else jobs.push(job)
      }
      if (jobs.length > 0)
        output.result(jobs, formatTable(jobColumns(options.all === true || options.account !== undefined), jobs))
      else if (!output.json) output.note('There are no jobs.')
    })
}

/** Throws `invalid-request`, naming the flag. The live events have neither ended jobs nor those of one other account. */
function checkFilters({ watch, all, account, error, since }: Options): void {
  if (error !== undefined && !isProblemCode(error)) {
    throw invalidOption('--error', `must be the code of an error, such as disk-full, not "${error}"`)
  }
  if (all && account !== undefined) throw invalidOption('--account', 'cannot be combined with --all')
  const [unwatched] = Object.entries({ account, error, since }).find(([, value]) => value !== undefined) ?? []
  if (watch && unwatched) throw invalidOption(`--${unwatched}`, 'cannot be combined with --watch')
}

const examples = `
Examples:
  $ filejobs jobs
  $ filejobs jobs --kind upload --state failed --since 7d
  $ filejobs jobs --state running --kind upload
  $ filejobs jobs --all --json | jq -r .account
  $ filejobs jobs --watch
  $ filejobs jobs --watch --json | jq -r 'select(.job.state == "done") | .job.file'`
