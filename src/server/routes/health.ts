import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'

/** `/healthz`: the process responds. `/readyz`: it accepts new work and can store it. */
export function healthRoutes({ findFault }: { findFault(): Promise<string | null> }) {
  const app = new OpenAPIHono()
  const status = {
    description: 'The state',
    content: { 'application/json': { schema: z.object({ status: z.string() }) } },
  }
  app.openapi(createRoute({ method: 'get', path: routes.health, summary: 'Alive?', responses: { 200: status } }), (c) =>
    c.json({ status: 'ok' }, 200),
  )
  app.openapi(
    createRoute({
      method: 'get',
      path: routes.ready,
      summary: 'Ready for work?',
      responses: { 200: status, 503: status },
    }),
    async (c) => {
      const fault = await findFault()
      return fault === null ? c.json({ status: 'ready' }, 200) : c.json({ status: fault }, 503)
    },
  )
  return app
}
