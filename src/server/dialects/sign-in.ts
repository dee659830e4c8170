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

/** Logs in by a JSON body, in interfaces that know two answers: the token, or 401. Throws `invalid-credentials` for all else. */
export async function signIn({ incoming }: HttpBindings, { authentication, config }: SignInServices): Promise<Login> {
  try {
    return await authentication.logIn(await readLogin(incoming), askerOf(incoming, config.trustProxy))
  } catch (error) {
    // A body without a username or a password is one, a disabled account the other.
    if (!(error instanceof Problem) || !['invalid-request', 'not-allowed'].includes(error.code)) throw error
    throw new Problem('invalid-credentials', error.message, error.details, { cause: error })
  }
}
