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
  { title: 'STATE', cell: (share) => share.state },
  { title: 'EXPIRES', cell: (share) => formatTime(share.expiresAt) },
  { title: 'PASSWORD', cell: ({ hasPassword }) => (hasPassword ? 'yes' : 'no') },
  { title: 'OPENED', align: 'right', cell: ({ opened }) => String(opened) },
  { title: 'DOWNLOADS', align: 'right', cell: downloadsOf },
  { title: 'FILE', cell: (share) => (share.available ? targetOf(share) : `${targetOf(share)} (gone)`) },
  { title: 'NOTE', cell: ({ note }) => note ?? '' },
  { title: 'URL', cell: (share) => share.url },
]

/** `photos/ (3 chosen)` for a selection. */
function targetOf({ filename, files }: ShareRecord): string {
  return files ? `${filename || '/'} (${files.length} chosen)` : filename
}

function downloadsOf({ downloads, maxDownloads }: ShareRecord): string {
  return maxDownloads === null ? String(downloads) : `${downloads} of ${maxDownloads}`
}
