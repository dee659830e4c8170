import { Command } from 'commander'
import type { OwnAccountRecord } from '../../protocol/accounts.js'
import { formatRoom } from '../../protocol/quota.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'

export function whoamiCommand(context: Context): Command {
  return new Command('whoami').addHelpText('after', examples).action(async (_options: object, command: Command) => {
    const session = await openSession(context, command)
    const me = await (await session.api()).send<OwnAccountRecord>('GET', routes.me)
    const who = `${me.role}:${me.username} on ${session.server}`
    const words = me.space ? `${who}\n${formatRoom(me.space)}` : who
    session.output.result({ ...me, server: session.server }, words)
  })
}

const examples = `
Example:
  $ filejobs whoami
  user:ann on http://127.0.0.1:8080
  1.2 GiB of 5.0 GiB used, 3.8 GiB free`
