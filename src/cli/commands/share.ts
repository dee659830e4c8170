import { Command } from 'commander'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { ShareRecord } from '../../protocol/shares.js'
import { parseDuration } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { isRemoteFolder } from '../folder-listing.js'
import { openSession } from '../session.js'
import { formatTime } from '../table.js'

interface Options {
  expires?: string
}

export function shareCommand(context: Context): Command {
  return new Command('share')
    .argument('<name>', 'the file or folder')
    .option('--expires <time>', 'when the link expires, 30d at most (default: 24h)')
    .addHelpText('after', examples)
    .action(async (name: string, options: Options, command: Command) => {
      const expiresIn = Math.ceil(parseDuration(options.expires ?? '24h', '--expires') / 1000)
      const { output, api } = await openSession(context, command)
      const open = await api()
      const filename = name.normalize('NFC')
      const create = (filename: string) =>
        open.send<ShareRecord>('POST', routes.shares, { json: { filename, expiresIn } })
      const share = await create(filename).catch(async (error) => {
        const isMissing = error instanceof Problem && error.code === 'file-not-found'
        if (!isMissing || filename.endsWith('/') || !(await isRemoteFolder(open, filename))) throw error
        return create(`${filename}/`)
      })
      output.result(share, share.url)
      output.note(
        `Anyone with this link can download ${share.filename} until ${formatTime(share.expiresAt)}, without an account.`,
      )
    })
}

const examples = `
The link serves whatever has that name, until it expires; a folder is listed, with links to its files; "filejobs shares" lists and revokes links.

Examples:
  $ filejobs share sample.csv
  $ filejobs share reports/2026.pdf --expires 7d
  $ filejobs share photos/`
