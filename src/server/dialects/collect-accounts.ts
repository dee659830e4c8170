import { Hono } from 'hono'
import { z } from 'zod'
import { newAccountSchema } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import type { Authentication } from '../auth/authentication.js'
import type { TokenPairs } from '../auth/token-pairs.js'
import type { ServerConfig } from '../config.js'
import { readFields } from '../routes/bodies/form-body.js'
import { requesterOf } from '../routes/headers/requester.js'
import type { AppEnv } from '../routing/app-env.js'
import { check, fieldProblem } from './collect-errors.js'

export interface CollectAccountServices {
  authentication: Authentication
  tokenPairs: TokenPairs
  config: Pick<ServerConfig, 'trustProxy'>
}

/** The users and tokens of the interface "collect". */
export function collectAccounts({ authentication, tokenPairs, config }: CollectAccountServices) {
  const app = new Hono<AppEnv>()

  app.post('/auth/users', async (c) => {
    const wanted = check(await readFields(c.env.incoming), userSchema)
    const requester = requesterOf(c.env, config.trustProxy)
    const made = authentication.register({ ...wanted, role: 'user' }, requester)
    const { id, username, email } = await made.catch(asFieldError)
    return c.json({ id, username, email: email ?? '' }, 201)
  })

  app.post('/token', async (c) => {
    const credentials = check(await readFields(c.env.incoming), loginSchema)
    const requester = requesterOf(c.env, config.trustProxy)
    const { access, refresh } = await tokenPairs
      .logIn({ ...credentials, role: 'user' }, requester, { rotates: false })
      .catch(asNoAccount)
    return c.json({ refresh: refresh.token, access: access.token }, 200)
  })

  app.post('/token/refresh', async (c) => {
    const { refresh } = check(await readFields(c.env.incoming), refreshSchema)
    const access = await tokenPairs.refresh(refresh).catch(asInvalidToken)
    return c.json({ access: access.token }, 200)
  })
  return app
}

const { username, password } = newAccountSchema.shape
const userSchema = z.object({
  username,
  password: password.refine((text) => !/^\d+$/.test(text), 'This password is entirely numeric.'),
  email: z
    .union([z.literal(''), z.email('Enter a valid email address.').max(254)])
    .transform((email) => email || null)
    .optional(),
})
const loginSchema = z.object({ username: z.string(), password: z.string() })
const refreshSchema = z.object({ refresh: z.string() })

function asFieldError(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'username-taken') throw error
  throw fieldProblem({ username: ['A user with that username already exists.'] })
}

/** Also for a disabled account: this interface has no other error. */
function asNoAccount(error: unknown): never {
  if (!(error instanceof Problem) || !['invalid-credentials', 'not-allowed'].includes(error.code)) throw error
  const message = 'No active account found with the given credentials'
  throw new Problem('invalid-credentials', message, {}, { cause: error })
}

function asInvalidToken(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== 'not-logged-in') throw error
  throw new Problem('not-logged-in', 'Token is invalid or expired', {}, { cause: error })
}
