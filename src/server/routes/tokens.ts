import { OpenAPIHono } from '@hono/zod-openapi'
import {
  loginSchema,
  type RotatedTokensRecord,
  refreshSchema,
  rotatedTokensSchema,
  tokenPairSchema,
} from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { TokenPair, TokenPairs } from '../auth/token-pairs.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { accountName } from '../stores/accounts.js'
import { readJson } from './bodies/json-body.js'
import { readLogin } from './bodies/login-body.js'
import { requesterOf } from './headers/requester.js'

export interface TokenServices {
  tokenPairs: TokenPairs
  config: Pick<ServerConfig, 'trustProxy'>
}

/** `/auth/tokens`: login with two tokens, so that the token in every request is short-lived. */
export function tokenRoutes({ tokenPairs, config }: TokenServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(pairRoute)
  app.post(routes.tokens, async (c) => {
    const { incoming } = c.env
    const requester = requesterOf(c.env, config.trustProxy)
    const pair = await tokenPairs.logIn(await readLogin(incoming), requester, { rotates: true })
    const { username, role } = pair.account
    const message = `Logged in as ${accountName(pair.account)}.`
    return c.json({ message, username, role, ...pairRecord(pair) }, 200)
  })

  app.openAPIRegistry.registerPath(refreshRoute)
  app.post(routes.tokensRefresh, async (c) => {
    const { refresh } = await readJson(c.env.incoming, refreshSchema)
    return c.json(pairRecord(await tokenPairs.rotate(refresh)), 200)
  })
  return app
}

function pairRecord({ access, refresh }: TokenPair): RotatedTokensRecord {
  return {
    access: access.token,
    accessExpiresAt: access.expiresAt.toISOString(),
    refresh: refresh.token,
    refreshExpiresAt: refresh.expiresAt.toISOString(),
  }
}

const pairRoute = {
  method: 'post' as const,
  path: routes.tokens,
  summary: 'Log in by two tokens',
  description:
    'The access token opens everything for half an hour. The refresh token fetches the next pair, once; the session lasts a day.',
  request: { body: { content: { 'application/json': { schema: loginSchema } } } },
  responses: {
    200: { description: 'Logged in', content: { 'application/json': { schema: tokenPairSchema } } },
    ...problemResponses(400, 401, 403, 413, 415, 429, 503),
  },
}

const refreshRoute = {
  method: 'post' as const,
  path: routes.tokensRefresh,
  summary: 'Fetch the next two tokens',
  description:
    'Each refresh token counts once. One that is used again was stolen: the session ends, with all of its tokens (RFC 9700).',
  request: { body: { content: { 'application/json': { schema: refreshSchema } } } },
  responses: {
    200: { description: 'The next two', content: { 'application/json': { schema: rotatedTokensSchema } } },
    ...problemResponses(400, 401, 413, 415, 507),
  },
}
