import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { featuresSchema } from '../../protocol/features.js'
import { routes } from '../../protocol/routes.js'
import type { ServerConfig } from '../config.js'
import { isEngineInstalled } from '../tables/unavailable.js'

/** `/features`: what this server offers, so that no client offers what would be refused. */
export function featureRoutes({ config }: { config: Pick<ServerConfig, 'signupRoles' | 'queryAllowed'> }) {
  const app = new OpenAPIHono()
  app.openapi(featuresRoute, (c) => {
    const tables = isEngineInstalled()
    return c.json({ signupRoles: config.signupRoles, tables, queries: tables && config.queryAllowed }, 200)
  })
  return app
}

const featuresRoute = createRoute({
  method: 'get',
  path: routes.features,
  summary: 'What does this server offer?',
  responses: { 200: { description: 'What is on', content: { 'application/json': { schema: featuresSchema } } } },
})
