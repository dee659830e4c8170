import { Command } from 'commander'
import type { LoggedIn } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { askSignupPassword, askWho, rememberLogin } from '../login-flow.js'
import { openSession } from '../session.js'

interface Options {
  role?: string
  name?: string
  email?: string
  passwordStdin?: boolean
}

export function signupCommand(context: Context): Command {
  return new Command('signup')
    .argument('[username]', 'the username to take; ops:ann means ann in the role ops')
    .option('--role <role>', 'user, ops or client (default: user)')
    .option('--name <name>', 'your full name')
    .option('--email <address>', 'your address')
    .option('--password-stdin', 'read the password from stdin')
    .addHelpText('after', examples)
    .action(async (username: string | undefined, options: Options, command: Command) => {
      const session = await openSession(context, command)
      const who = await askWho(session, username, options.role)
      const password = await askSignupPassword(session, who, options.passwordStdin ?? false)
      const login = await session.openApi.send<LoggedIn>('POST', routes.signup, {
        json: { ...who, password, name: options.name, email: options.email },
      })
      await rememberLogin(session, login)
    })
}

const examples = `
A password has 8 to 72 bytes. An account that exists already is logged in to, if the password fits.

Examples:
  $ filejobs signup ann
  $ FILEJOBS_PASSWORD=… filejobs signup ops:publisher --email ann@example.org`
