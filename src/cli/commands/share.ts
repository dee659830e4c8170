import { Command } from 'commander'
import { routes } from '../../protocol/routes.js'
import type { ShareRecord } from '../../protocol/shares.js'
import { parseDuration } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'
import { formatTime } from '../table.js'

interface Options {
  expires?: string
}

export function shareCommand(context: Context): Command {
  return new Command('share')
    .argument('<name>', 'the file')
    .option('--expires <time>', 'how long the link works, 30d at most (default: 24h)')
    .addHelpText('after', examples)
    .action(async (name: string, options: Options, command: Command) => {
      const expiresIn = Math.ceil(parseDuration(options.expires ?? '24h', '--expires') / 1000)
      const { output, api } = await openSession(context, command)
      const json = { filename: name.normalize('NFC'), expiresIn }
      const share = await (await api()).send<ShareRecord>('POST', routes.shares, { json })
      output.result(share, share.url)
      output.note(
        `Whoever has this link gets ${share.filename} until ${formatTime(share.expiresAt)}, without an account.`,
      )
    })
}

const examples = `
The link serves whatever file has that name, until it expires; "filejobs shares" lists and revokes links.

Examples:
  $ filejobs share sample.csv
  $ filejobs share reports/2026.pdf --expires 7d`
