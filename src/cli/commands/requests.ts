import { Command } from 'commander'
import type { FileRequestList, FileRequestRecord } from '../../protocol/file-requests.js'
import { routes } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'
import { formatTable, formatTime, type TextColumn } from '../table.js'

export function requestsCommand(context: Context): Command {
  return new Command('requests')
    .addHelpText('after', examples)
    .action(async (_options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const { requests } = await (await api()).send<FileRequestList>('GET', routes.requests)
      if (output.json) for (const request of requests) output.result(request, '')
      else if (requests.length > 0) output.result(requests, formatTable(columns, requests))
      else output.note('There are no links for uploads. "filejobs request FOLDER" makes one.')
    })
    .addCommand(revokeCommand(context))
}

const examples = `
Examples:
  $ filejobs requests
  $ filejobs requests revoke LINK`

function revokeCommand(context: Context): Command {
  return new Command('revoke')
    .description('revoke a link for uploads and stop what it receives')
    .argument('<link>', 'its id')
    .addHelpText('after', '\nExample:\n  $ filejobs requests revoke LINK')
    .action(async (id: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      await (await api()).send('DELETE', `${routes.requests}/${encodeURIComponent(id)}`)
      output.result({ id, revoked: true }, `Revoked ${id}.`)
    })
}

const columns: readonly TextColumn<FileRequestRecord>[] = [
  { title: 'LINK', cell: ({ id }) => id },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'EXPIRES', cell: ({ expiresAt }) => formatTime(expiresAt) },
  { title: 'PASSWORD', cell: ({ hasPassword }) => (hasPassword ? 'yes' : 'no') },
  { title: 'OPENED', align: 'right', cell: ({ opened }) => String(opened) },
  { title: 'FILES', align: 'right', cell: ({ files, maxFiles }) => ofLimit(files, maxFiles, String) },
  { title: 'SIZE', align: 'right', cell: ({ bytes, maxBytes }) => ofLimit(bytes, maxBytes, formatBytes) },
  { title: 'FOLDER', cell: ({ folder }) => folder },
  { title: 'NOTE', cell: ({ note }) => note ?? '' },
  { title: 'URL', cell: ({ url }) => url },
]

function ofLimit(value: number, limit: number | null, format: (value: number) => string): string {
  return limit === null ? format(value) : `${format(value)} of ${format(limit)}`
}
