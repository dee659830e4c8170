import { Command } from 'commander'
import type { LoggedIn } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { askLoginPassword, askWho, rememberLogin } from '../login-flow.js'
import { openSession } from '../session.js'

interface Options {
  role?: string
  passwordStdin?: boolean
}

export function loginCommand(context: Context): Command {
  return new Command('login')
    .argument('[username]', 'your username; ops:ann means ann in the role ops')
    .option('--role <role>', 'user, ops, client or admin (default: user)')
    .option('--password-stdin', 'read the password from stdin')
    .addHelpText('after', examples)
    .action(async (username: string | undefined, options: Options, command: Command) => {
      const session = await openSession(context, command)
      const who = await askWho(session, username, options.role)
      const password = await askLoginPassword(session, who, options.passwordStdin ?? false)
      const login = await session.openApi.send<LoggedIn>('POST', routes.login, { json: { ...who, password } })
      await rememberLogin(session, login)
    })
}

const examples = `
The password is asked for, or taken from FILEJOBS_PASSWORD or stdin; never from an argument.
A login is remembered for this server; a new one replaces it and ends the old session.

Examples:
  $ filejobs login ann
  $ filejobs login admin:admin --server http://10.0.0.5:8080
  $ pass show filejobs | filejobs login ann --password-stdin`
