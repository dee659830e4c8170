import { Command } from 'commander'
import type { Api } from '../../client/api.js'
import { type JobListOptions, listJobs } from '../../client/listing.js'
import type { JobRecord, Receipt, Receipts } from '../../protocol/jobs.js'
import { invalidOption } from '../../protocol/options/option-values.js'
import { Problem } from '../../protocol/problems.js'
import { jobPath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { findJobId, isJobId } from '../job-id.js'
import { openSession } from '../session.js'

interface Options {
  all?: boolean
}

export function stopCommand(context: Context): Command {
  return new Command('stop')
    .argument(
      '[what]',
      'upload, export, import, query, or the id of a job or a prefix of it (default: all your running jobs)',
    )
    .option('--all', 'jobs of every account (admin)')
    .addHelpText('after', examples)
    .action(async (what: string | undefined, options: Options, command: Command) => {
      const session = await openSession(context, command)
      const api = await session.api()
      for (const receipt of await stop(api, what, options.all ?? false)) {
        session.output.result(receipt, receipt.message)
      }
    })
}

const examples = `
When a stop has been answered, the transfer is dead and what it left behind is gone; the answer says so.
Nothing to stop is exit code 4.

Examples:
  $ filejobs stop
  $ filejobs stop upload
  $ filejobs stop 0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e`

const kinds = ['upload', 'export', 'import', 'query'] as const
/** Each of these kinds has a request that stops all jobs of the account at once. */
const kindsWithRoute: readonly string[] = ['upload', 'export', 'import']

async function stop(api: Api, what: string | undefined, all: boolean): Promise<Receipt[]> {
  if (what !== undefined && isJobId(what)) {
    return [await api.send<Receipt>('POST', jobPath(await findJobId(api, what), 'stop'))]
  }
  const kind = kinds.find((known) => known === what)
  if (what !== undefined && kind === undefined) {
    throw invalidOption('<what>', `must be one of ${kinds.join(', ')}, or the id of a job, not "${what}"`)
  }
  if (kind && kindsWithRoute.includes(kind) && !all) {
    const { receipts, ...newest } = await api.send<Receipts>('POST', `/${kind}/stop`)
    return receipts ?? [newest]
  }
  return stopEach(api, { kind, all })
}

const stoppable = 'waiting,running,paused,interrupted'

async function stopEach(api: Api, filter: JobListOptions): Promise<Receipt[]> {
  const jobs: JobRecord[] = []
  for await (const job of listJobs(api, { ...filter, state: stoppable })) jobs.push(job)
  // Stop waiting jobs first: otherwise a stop would only free the slot for the next one.
  jobs.sort((a, b) => Number(b.state === 'waiting') - Number(a.state === 'waiting'))
  const receipts: Receipt[] = []
  for (const job of jobs) {
    const receipt = await api.send<Receipt>('POST', jobPath(job.id, 'stop')).catch(ignoreEnded)
    if (receipt) receipts.push(receipt)
  }
  if (receipts.length === 0) throw new Problem('no-running-job', 'Nothing to stop: no job is running.')
  return receipts
}

function ignoreEnded(error: unknown): undefined {
  const ended = ['already-published', 'not-running', 'job-not-found']
  if (error instanceof Problem && ended.includes(error.code)) return undefined
  throw error
}
