import { Command } from 'commander'
import type { RotatedTokensRecord, TokenPairRecord } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { Failure } from '../exit-codes.js'
import { askLoginPassword, askWho } from '../login-flow.js'
import { readPasswords } from '../password.js'
import { openSession, type Session } from '../session.js'

interface Options {
  role?: string
  passwordStdin?: boolean
  refresh?: boolean
}

export function tokensCommand(context: Context): Command {
  return new Command('tokens')
    .argument('[username]', 'your username; ops:ann means ann in the role ops')
    .option('--role <role>', 'user, ops, client or admin (default: user)')
    .option('--password-stdin', 'read the password from stdin')
    .option('--refresh', 'read a refresh token from stdin and print a new pair of tokens')
    .addHelpText('after', examples)
    .action(async (username: string | undefined, options: Options, command: Command) => {
      const session = await openSession(context, command)
      if (options.refresh) await printNext(session, username)
      else await printPair(session, username, options)
    })
}

const examples = `
The access token opens everything for half an hour. The refresh token fetches the next two tokens, once; used again, it ends
the session, which lasts a day. Nothing is remembered, and the login of this terminal stays as it is.

Examples:
  $ filejobs tokens ann --json > tokens.json
  $ FILEJOBS_TOKEN=$(jq -r .access tokens.json) filejobs upload sample.csv
  $ jq -r .refresh tokens.json | filejobs tokens --refresh --json > next.json && mv next.json tokens.json`

async function printPair(session: Session, username: string | undefined, options: Options): Promise<void> {
  const who = await askWho(session, username, options.role)
  const password = await askLoginPassword(session, who, options.passwordStdin ?? false)
  const pair = await session.openApi.send<TokenPairRecord>('POST', routes.tokens, { json: { ...who, password } })
  printTokens(session, pair)
}

async function printNext(session: Session, username: string | undefined): Promise<void> {
  if (username !== undefined) throw new Failure('wrongUse', 'The refresh token identifies you: leave out the name.')
  const [refresh] = await readPasswords(session.context.stdin, ['refresh token'])
  const next = await session.openApi.send<RotatedTokensRecord>('POST', routes.tokensRefresh, { json: { refresh } })
  printTokens(session, next)
}

function printTokens({ output }: Session, pair: RotatedTokensRecord): void {
  output.result(pair, `access ${pair.access}\nrefresh ${pair.refresh}`)
}
