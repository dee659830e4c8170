import { Command } from 'commander'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { openSession } from '../session.js'

export function logoutCommand(context: Context): Command {
  return new Command('logout').addHelpText('after', examples).action(async (_options: object, command: Command) => {
    const session = await openSession(context, command)
    const api = await session.api()
    try {
      await api.send('POST', routes.logout)
    } catch (error) {
      // An expired session is as good as logged out.
      if (!(error instanceof Problem && error.code === 'not-logged-in')) throw error
    }
    if (!context.env.FILEJOBS_TOKEN) await session.credentials.remove(session.server)
    session.output.result({ server: session.server, loggedOut: true }, `Logged out of ${session.server}.`)
  })
}

const examples = `
The session ends on the server at once, and what it still transfers is stopped.

Example:
  $ filejobs logout`
