import { Command } from 'commander'
import { routes } from '../../protocol/routes.js'
import type { ShareList, ShareRecord } from '../../protocol/shares.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'
import { formatTable, formatTime, type TextColumn } from '../table.js'

export function sharesCommand(context: Context): Command {
  return new Command('shares')
    .addHelpText('after', examples)
    .action(async (_options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const { shares } = await (await api()).send<ShareList>('GET', routes.shares)
      if (output.json) for (const share of shares) output.result(share, '')
      else if (shares.length > 0) output.result(shares, formatTable(columns, shares))
      else output.note('There are no links. "filejobs share NAME" makes one.')
    })
    .addCommand(revokeCommand(context))
}

const examples = `
Examples:
  $ filejobs shares
  $ filejobs shares revoke LINK`

function revokeCommand(context: Context): Command {
  return new Command('revoke')
    .description('revoke a link and stop its downloads')
    .argument('<link>', 'its id')
    .addHelpText('after', '\nExample:\n  $ filejobs shares revoke LINK')
    .action(async (id: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      await (await api()).send('DELETE', `${routes.shares}/${encodeURIComponent(id)}`)
      output.result({ id, revoked: true }, `Revoked ${id}.`)
    })
}

const columns: readonly TextColumn<ShareRecord>[] = [
  { title: 'LINK', cell: (share) => share.id },
  { title: 'EXPIRES', cell: (share) => formatTime(share.expiresAt) },
  { title: 'FILE', cell: ({ filename, available }) => (available ? filename : `${filename} (gone)`) },
  { title: 'URL', cell: (share) => share.url },
]
