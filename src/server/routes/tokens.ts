import { OpenAPIHono } from '@hono/zod-openapi'
import { accessTokenSchema, loginSchema, refreshSchema, tokenPairSchema } from '../../protocol/accounts.js'
import { routes } from '../../protocol/routes.js'
import type { TokenPairs } from '../auth/token-pairs.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { askerOf } from '../http/asker.js'
import { readJson } from '../http/json-body.js'
import { readLogin } from '../http/login-body.js'
import { accountName } from '../stores/accounts.js'

export interface TokenServices {
  tokenPairs: TokenPairs
  config: Pick<ServerConfig, 'trustProxy'>
}

/** `/auth/tokens`: logging in by two tokens, of which the one that travels with every request is short-lived. */
export function tokenRoutes({ tokenPairs, config }: TokenServices) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath(pairRoute)
  app.post(routes.tokens, async (c) => {
    const { incoming } = c.env
    const asker = askerOf(incoming, config.trustProxy)
    const { account, access, refresh } = await tokenPairs.logIn(await readLogin(incoming), asker)
    return c.json(
      {
        message: `Logged in as ${accountName(account)}.`,
        username: account.username,
        role: account.role,
        access: access.token,
        accessExpiresAt: access.expiresAt.toISOString(),
        refresh: refresh.token,
        refreshExpiresAt: refresh.expiresAt.toISOString(),
      },
      200,
      noStore,
    )
  })

  app.openAPIRegistry.registerPath(refreshRoute)
  app.post(routes.tokensRefresh, async (c) => {
    const { refresh } = await readJson(c.env.incoming, refreshSchema)
    const { token, expiresAt } = await tokenPairs.refresh(refresh)
    return c.json({ access: token, accessExpiresAt: expiresAt.toISOString() }, 200, noStore)
  })
  return app
}

const noStore = { 'Cache-Control': 'no-store' }

const pairRoute = {
  method: 'post' as const,
  path: routes.tokens,
  summary: 'Log in by two tokens',
  description: 'The access token opens everything for half an hour, the refresh token fetches the next one for a day.',
  request: { body: { content: { 'application/json': { schema: loginSchema } } } },
  responses: {
    200: { description: 'Logged in', content: { 'application/json': { schema: tokenPairSchema } } },
    ...problemResponses(400, 401, 403, 413, 415, 429, 503),
  },
}

const refreshRoute = {
  method: 'post' as const,
  path: routes.tokensRefresh,
  summary: 'Fetch the next access token',
  request: { body: { content: { 'application/json': { schema: refreshSchema } } } },
  responses: {
    200: { description: 'The next one', content: { 'application/json': { schema: accessTokenSchema } } },
    ...problemResponses(400, 401, 413, 415),
  },
}
