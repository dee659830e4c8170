import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'

/** `/healthz`: the process answers. `/readyz`: it takes new work. */
export function healthRoutes({ isReady }: { isReady(): boolean }) {
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
    (c) => (isReady() ? c.json({ status: 'ready' }, 200) : c.json({ status: 'shutting down' }, 503)),
  )
  return app
}
