import { Command } from 'commander'
import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { findJobId } from '../job-id.js'
import { parseRate } from '../rate-option.js'
import { openSession } from '../session.js'

export function limitCommand(context: Context): Command {
  return new Command('limit')
    .argument('<job>', 'its id, as "filejobs jobs" shows it, or how it begins')
    .argument('<rate>', 'bytes a second at most, such as 500K or 5M; off for none')
    .addHelpText('after', examples)
    .action(async (id: string, rate: string, _options: object, command: Command) => {
      const rateLimit = rate === 'off' ? null : parseRate(rate, '<rate>')
      const session = await openSession(context, command)
      const api = await session.api()
      const job = await api.send<JobRecord>('PATCH', jobPath(await findJobId(api, id)), { json: { rateLimit } })
      const what = `the ${job.kind} of ${job.file ?? job.id}`
      session.output.result(
        job,
        rateLimit === null ? `No limit on ${what}.` : `Limited ${what} to ${formatBytes(rateLimit)}/s.`,
      )
    })
}

const examples = `
Examples:
  $ filejobs limit 0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e 5M
  $ filejobs limit 0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e off`
