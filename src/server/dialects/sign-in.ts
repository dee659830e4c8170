import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../protocol/problems.js'
import type { Authentication, Login } from '../auth/authentication.js'
import type { ServerConfig } from '../config.js'
import { askerOf } from '../http/asker.js'
import { readLogin } from '../http/login-body.js'

export interface SignInServices {
  authentication: Authentication
  config: Pick<ServerConfig, 'trustProxy'>
}

/** Logs in by a JSON body, in interfaces that know two answers: the token, or 401. Throws `invalid-credentials` for a bad body too. */
export async function signIn({ incoming }: HttpBindings, { authentication, config }: SignInServices): Promise<Login> {
  const credentials = await readLogin(incoming).catch((error: unknown) => {
    if (!(error instanceof Problem) || error.code !== 'invalid-request') throw error
    throw new Problem('invalid-credentials', error.message, error.details, { cause: error })
  })
  return authentication.logIn(credentials, askerOf(incoming, config.trustProxy))
}
