import { Command } from 'commander'
import type { SessionRecord } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'
import { formatTable, formatTime, type TextColumn } from '../table.js'

export function sessionsCommand(context: Context): Command {
  return new Command('sessions')
    .addHelpText('after', examples)
    .action(async (_options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const { sessions } = await (await api()).send<{ sessions: SessionRecord[] }>('GET', routes.sessions)
      if (output.json) for (const session of sessions) output.result(session, '')
      else output.result(sessions, formatTable(columns, sessions))
    })
    .addCommand(revokeCommand(context))
}

const examples = `
Examples:
  $ filejobs sessions
  $ filejobs sessions revoke SESSION`

function revokeCommand(context: Context): Command {
  return new Command('revoke')
    .description('revoke a session and stop its transfers')
    .argument('<session>', 'its id')
    .addHelpText('after', '\nExample:\n  $ filejobs sessions revoke SESSION')
    .action(async (id: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      await (await api()).send('DELETE', `${routes.sessions}/${encodeURIComponent(id)}`)
      output.result({ id, revoked: true }, `Revoked ${id}.`)
    })
}

const columns: readonly TextColumn<SessionRecord>[] = [
  { title: 'SESSION', cell: (session) => session.id },
  { title: 'CREATED', cell: (session) => formatTime(session.createdAt) },
  { title: 'LAST USED', cell: (session) => formatTime(session.lastUsedAt) },
  { title: 'CLIENT', cell: (session) => `${session.client}${session.current ? ' (this session)' : ''}` },
]
