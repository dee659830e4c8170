import { Command } from 'commander'
import type { JobRecord } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { findJobId } from '../job-id.js'
import { openSession } from '../session.js'

export function resumeCommand(context: Context): Command {
  return new Command('resume')
    .argument('<job>', 'its id, as "filejobs jobs" shows it, or how it begins')
    .addHelpText('after', examples)
    .action(async (id: string, _options: object, command: Command) => {
      const session = await openSession(context, command)
      const api = await session.api()
      const job = await api.send<JobRecord>('POST', jobPath(await findJobId(api, id), 'resume'))
      session.output.result(job, `Resumed the ${job.kind} of ${job.file ?? job.id}.`)
    })
}

const examples = `
A paused transfer continues at the offset where it was paused.

Example:
  $ filejobs resume 0b6fd5a1-4f1e-4c6e-9b5e-3f7f0c1c2d3e`
