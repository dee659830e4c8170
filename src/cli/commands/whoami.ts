import { Command } from 'commander'
import type { AccountRecord } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'

export function whoamiCommand(context: Context): Command {
  return new Command('whoami').addHelpText('after', examples).action(async (_options: object, command: Command) => {
    const session = await openSession(context, command)
    const me = await (await session.api()).send<AccountRecord>('GET', routes.me)
    session.output.result({ ...me, server: session.server }, `${me.role}:${me.username} on ${session.server}`)
  })
}

const examples = `
Example:
  $ filejobs whoami
  user:ann on http://127.0.0.1:8080`
