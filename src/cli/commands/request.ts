import { Command } from 'commander'
import type { FileRequestRecord } from '../../protocol/file-requests.js'
import { routes } from '../../protocol/routes.js'
import { countOf, formatBytes, parseSize } from '../../protocol/units.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { type LinkPasswordOptions, linkPasswordOf } from '../link-password.js'
import { openSession } from '../session.js'
import { parseExpiry } from '../share-expiry.js'
import { formatTime } from '../table.js'

interface Options extends LinkPasswordOptions {
  expires?: string
  maxSize?: string
  maxFiles?: string
  maxFileSize?: string
  note?: string
}

export function requestCommand(context: Context): Command {
  return new Command('request')
    .argument('<folder>', 'where the files go; it need not exist yet')
    .option(
      '--expires <time>',
      'when the link expires, in 366 days at most: 7d, 2026-12-31 or 2026-12-31T18:00 (default: 7d)',
    )
    .option('--max-size <size>', 'how much it takes in all, such as 2G (default: any size)')
    .option('--max-files <number>', 'how many files it takes (default: any number)')
    .option('--max-file-size <size>', 'how large each file may be (default: any size)')
    .option('--password', 'ask for a password that the link needs')
    .option('--password-stdin', 'read that password from stdin')
    .option('--note <text>', 'a text for everyone with the link')
    .addHelpText('after', examples)
    .action(async (folder: string, options: Options, command: Command) => {
      const terms = termsOf(options)
      const { output, api } = await openSession(context, command)
      const open = await api()
      const password = await linkPasswordOf(context, options)
      const json = {
        folder: `${folder.normalize('NFC').replace(/\/$/, '')}/`,
        ...terms,
        ...(password === undefined ? {} : { password }),
      }
      const request = await open.send<FileRequestRecord>('POST', routes.requests, { json })
      output.result(request, request.url)
      output.note(noteOn(request))
    })
}

const examples = `
Anyone with the link sends files in a browser, by "curl -T FILE LINK/" or by tus at LINK/tus. No file is replaced: where a name
is taken, the new one gets a number. Uploads are jobs of the account request:ID, which you see, limit and stop as your own.
The password is asked for or read from stdin, never taken from an argument; programs send it as that of HTTP Basic.
"filejobs requests" lists and revokes links.

Examples:
  $ filejobs request inbox/
  $ filejobs request photos/party --expires 2026-12-31 --note 'Your photos, please'
  $ filejobs request inbox/ --max-size 2G --max-files 20
  $ pass show inbox | filejobs request inbox/ --password-stdin`

/** Throws `invalid-request`, naming the flag. */
function termsOf({ expires, maxSize, maxFiles, maxFileSize, note }: Options) {
  return {
    ...parseExpiry(expires ?? '7d', '--expires'),
    ...(maxSize === undefined ? {} : { maxBytes: parseSize(maxSize, '--max-size') }),
    ...(maxFiles === undefined ? {} : { maxFiles: parseCount(maxFiles, '--max-files', 1) }),
    ...(maxFileSize === undefined ? {} : { maxFileBytes: parseSize(maxFileSize, '--max-file-size') }),
    ...(note === undefined ? {} : { note }),
  }
}

function noteOn({ folder, hasPassword, maxFiles, maxBytes, expiresAt }: FileRequestRecord): string {
  const who = hasPassword ? 'Anyone with this link and its password' : 'Anyone with this link'
  const files = maxFiles === null ? 'files' : countOf(maxFiles, 'file')
  const size = maxBytes === null ? '' : ` of ${formatBytes(maxBytes)} in all`
  return `${who} can upload ${files}${size} into ${folder} until ${formatTime(expiresAt)}, without an account.`
}
