import { Command } from 'commander'
import { jobKinds, jobStates } from '../../protocol/job-kinds.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { parseChoices, parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { jobColumns } from '../job-table.js'
import { listJobs } from '../listing.js'
import { openSession } from '../session.js'
import { formatTable } from '../table.js'

interface Options {
  all?: boolean
  state?: string
  kind?: string
  limit?: string
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
    .option('--limit <number>', 'the maximum number of jobs, newest first (default: 20)')
    .option('--watch', 'show live updates; press q to quit')
    .addHelpText('after', examples)
    .action(async (options: Options, command: Command) => {
      const limit = parseCount(options.limit ?? '20', '--limit', 1)
      if (options.state !== undefined) parseChoices(options.state, '--state', jobStates)
      if (options.kind !== undefined) parseChoices(options.kind, '--kind', jobKinds)
      const session = await openSession(context, command)
      if (options.watch) {
        const { watchJobs } = await import('../watch/watch-jobs.js')
        return watchJobs(session, { ...options, limit })
      }
      const { output, api } = session
      const jobs: JobRecord[] = []
      for await (const job of listJobs(await api(), options, limit)) {
        if (output.json) output.result(job, '')
        else jobs.push(job)
      }
      if (jobs.length > 0) output.result(jobs, formatTable(jobColumns(options.all ?? false), jobs))
      else if (!output.json) output.note('There are no jobs.')
    })
}

const examples = `
Examples:
  $ filejobs jobs
  $ filejobs jobs --state running --kind upload
  $ filejobs jobs --all --json | jq -r .account
  $ filejobs jobs --watch
  $ filejobs jobs --watch --json | jq -r 'select(.job.state == "done") | .job.file'`
