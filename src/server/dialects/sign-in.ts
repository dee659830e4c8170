import type { HttpBindings } from '@hono/node-server'
import { Problem } from '../../protocol/problems.js'
import type { Authentication, Login } from '../auth/authentication.js'
import type { ServerConfig } from '../config.js'
import { readLogin } from '../routes/bodies/login-body.js'
import { requesterOf } from '../routes/headers/requester.js'

export interface SignInServices {
  authentication: Authentication
  config: Pick<ServerConfig, 'trustProxy'>
}

/**
 * Logs in with a JSON body, for interfaces with two results: the token, or 401. Throws `invalid-credentials` for
 * everything else.
 */
export async function signInByJson(env: HttpBindings, { authentication, config }: SignInServices): Promise<Login> {
  try {
    return await authentication.logIn(await readLogin(env.incoming), requesterOf(env, config.trustProxy))
  } catch (error) {
    // A body without a username or a password is one case, a disabled account the other.
    if (!(error instanceof Problem) || !['invalid-request', 'not-allowed'].includes(error.code)) throw error
    throw new Problem('invalid-credentials', error.message, error.details, { cause: error })
  }
}
