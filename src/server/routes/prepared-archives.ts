import { OpenAPIHono, z } from '@hono/zod-openapi'
import { routes } from '../../protocol/routes.js'
import type { PreparedArchives } from '../archives/prepared-archives.js'
import { archiveAnswer, problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { sendPrepared } from './responses/send-archive.js'

/** `GET /jobs/ID/archive` sends what a `POST /export` with `prepare` has prepared. */
export function preparedArchiveRoutes({ prepared }: { prepared: PreparedArchives }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: `${routes.jobs}/{id}/archive`,
    summary: 'Fetch a prepared archive',
    description: 'Once, within 30 s, by the session that has prepared it. It has no ranges.',
    request: { params: z.object({ id: z.string().meta({ description: "the job's id" }) }) },
    responses: { 200: archiveAnswer, ...problemResponses(401, 404, 408, 409) },
  })
  // Hono calls GET handlers for HEAD requests, too.
  app.get(`${routes.jobs}/:id/archive`, (c) =>
    sendPrepared(c.env, { prepared, id: c.req.param('id').toLowerCase(), identity: c.get('identity') }),
  )
  return app
}
