import { Command } from 'commander'
import type { Api } from '../../client/api.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { ShareRecord } from '../../protocol/shares.js'
import { countOf } from '../../protocol/units.js'
import { parseCount } from '../choices.js'
import type { Context } from '../context.js'
import { isRemoteFolder } from '../folder-listing.js'
import { type LinkPasswordOptions, linkPasswordOf } from '../link-password.js'
import { openSession } from '../session.js'
import { parseExpiry } from '../share-expiry.js'
import { formatTime } from '../table.js'

interface Options extends LinkPasswordOptions {
  expires?: string
  downloads?: string
  note?: string
}

export function shareCommand(context: Context): Command {
  return new Command('share')
    .argument('<names...>', 'a file or folder, or several for one link')
    .option(
      '--expires <time>',
      'when the link expires, in 366 days at most: 7d, 2026-12-31 or 2026-12-31T18:00 (default: 24h)',
    )
    .option('--password', 'ask for a password that the link needs')
    .option('--password-stdin', 'read that password from stdin')
    .option('--downloads <number>', 'how many downloads the link allows (default: any number)')
    .option('--note <text>', 'a text for everyone with the link')
    .addHelpText('after', examples)
    .action(async (given: string[], options: Options, command: Command) => {
      const { downloads, note } = options
      const terms = {
        ...parseExpiry(options.expires ?? '24h', '--expires'),
        ...(downloads === undefined ? {} : { maxDownloads: parseCount(downloads, '--downloads', 1) }),
        ...(note === undefined ? {} : { note }),
      }
      const { output, api } = await openSession(context, command)
      const open = await api()
      const password = await linkPasswordOf(context, options)
      const names = given.map((name) => name.normalize('NFC'))
      const json = { ...terms, ...(password === undefined ? {} : { password }) }
      const create = (names: string[]) => {
        const target = names.length === 1 ? { filename: names[0] } : { files: names }
        return open.send<ShareRecord>('POST', routes.shares, { json: { ...json, ...target } })
      }
      const share = await create(names).catch(async (error) => {
        if (!(error instanceof Problem) || error.code !== 'file-not-found') throw error
        const asFolders = await Promise.all(names.map((name) => withSlash(open, name)))
        if (asFolders.every((name, index) => name === names[index])) throw error
        return create(asFolders)
      })
      output.result(share, share.url)
      output.note(noteOn(share))
    })
}

const examples = `
The link serves whatever has that name, until it expires. A folder, and several names, are listed, with links to the files and
to an archive of them all. A download counts when the last byte of a file was sent. The password is asked for or read from stdin,
never taken from an argument; programs send it as that of HTTP Basic (curl -u link URL). "filejobs shares" lists and revokes links.

Examples:
  $ filejobs share sample.csv
  $ filejobs share reports/2026.pdf --expires 2026-12-31 --downloads 3
  $ pass show reports | filejobs share reports/2026.pdf --password-stdin
  $ filejobs share photos/ --expires 7d --note 'From the picnic'
  $ filejobs share notes.txt photos/2026/ slides.pdf`

/** Adds the slash to the name of a folder. */
async function withSlash(api: Api, name: string): Promise<string> {
  return !name.endsWith('/') && (await isRemoteFolder(api, name)) ? `${name}/` : name
}

function noteOn({ filename, files, hasPassword, maxDownloads, expiresAt }: ShareRecord): string {
  const who = hasPassword ? 'Anyone with this link and its password' : 'Anyone with this link'
  const often = maxDownloads === null ? '' : `, ${countOf(maxDownloads, 'time')} in all`
  const what = files ? `these ${files.length} files and folders` : filename
  return `${who} can download ${what} until ${formatTime(expiresAt)}${often}, without an account.`
}
