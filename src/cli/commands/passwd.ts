import { Command } from 'commander'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { askNewPassword, askPassword, readPasswords } from '../password.js'
import { openSession } from '../session.js'

interface Options {
  passwordStdin?: boolean
}

export function passwdCommand(context: Context): Command {
  return new Command('passwd')
    .option('--password-stdin', 'read the current and the new password from stdin, one per line')
    .addHelpText('after', examples)
    .action(async (options: Options, command: Command) => {
      const { output, api, server } = await openSession(context, command)
      const authorized = await api()
      const passwords = options.passwordStdin
        ? await readPasswords(context.stdin, ['current password', 'new password'])
        : [await askPassword(context, 'Current password'), await askNewPassword(context, 'New password')]
      const [current, wanted] = passwords
      await authorized.send('POST', routes.password, { json: { current, new: wanted } })
      output.result({ server, changed: true }, 'The password was changed; all other sessions have ended.')
    })
}

const examples = `
Your other sessions end; this one stays valid. FILEJOBS_PASSWORD, where set, is the current password.

Examples:
  $ filejobs passwd
  $ printf '%s\\n' "$OLD" "$NEW" | filejobs passwd --password-stdin`
