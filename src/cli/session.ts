import type { Command } from 'commander'
import type { Api } from '../client/api.js'
import { version } from '../protocol/version.js'
import { notLoggedIn } from './answers.js'
import { createGotApi } from './api.js'
import type { Context, GlobalOptions } from './context.js'
import { type CredentialStore, createCredentials } from './credentials.js'
import { createOutput, type Output } from './output.js'
import { configFolder, findServer } from './settings.js'

/** The environment of one command: one server, one login, one output. */
export interface Session {
  readonly context: Context
  readonly output: Output
  readonly server: string
  readonly userAgent: string
  readonly credentials: CredentialStore
  /** Without a login, for signup and login. */
  readonly openApi: Api
  /** The current token: `FILEJOBS_TOKEN`, or the stored one. Throws `not-logged-in` if there is none. */
  token(): Promise<string>
  /** With the current login; throws like `token()`. */
  api(): Promise<Api>
}

export async function openSession(context: Context, command: Command): Promise<Session> {
  const options = command.optsWithGlobals<GlobalOptions>()
  const folder = await configFolder()
  const server = await findServer(options.server, context.env, folder)
  const credentials = createCredentials(folder)
  const userAgent = `filejobs/${version()} (${process.platform})`

  async function token(): Promise<string> {
    const found = context.env.FILEJOBS_TOKEN || (await credentials.find(server))?.token
    if (!found) throw notLoggedIn(server)
    return found
  }

  return {
    context,
    output: createOutput(context, options),
    server,
    userAgent,
    credentials,
    openApi: createGotApi({ server, userAgent }),
    token,
    api: async () => createGotApi({ server, userAgent, token: await token() }),
  }
}
