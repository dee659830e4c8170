import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { queryAnswerSchema, querySchema } from '../../protocol/tables.js'
import { requirePermission } from '../auth/permissions.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { leftSignal } from '../http/connection.js'
import { readJson } from '../http/json-body.js'
import { jobIdOf, waitOf } from '../http/preferences.js'
import type { Queries } from '../tables/queries.js'

/** `POST /query`: SQL over the account's own tables, read only. */
export function queryRoutes({ queries, config }: { queries: Queries; config: Pick<ServerConfig, 'queryAllowed'> }) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(queryRoute)
  app.post(routes.query, async (c) => {
    const identity = c.get('identity')
    if (!config.queryAllowed) {
      throw new Problem('not-allowed', 'Queries are off on this server; "filejobs serve --query on" turns them on.')
    }
    requirePermission(identity, 'query')
    const { sql, limit } = await readJson(c.env.incoming, querySchema)
    const answer = await queries.run({
      identity,
      sql,
      limit,
      jobId: jobIdOf(c.req.header(jobHeader)),
      waitMs: waitOf(c.req.header('prefer')),
      left: leftSignal(c.env.outgoing),
      begin: (job) => c.header(jobHeader, job.id),
    })
    return c.json(answer, 200)
  })
  return app
}

const queryRoute = createRoute({
  method: 'post',
  path: routes.query,
  summary: 'Ask my tables by SQL',
  description: 'One SELECT over my own tables, for 30 s at most. A query is a job: it can be listed and stopped.',
  request: { body: { content: { 'application/json': { schema: querySchema } } } },
  responses: {
    200: { description: 'The answer', content: { 'application/json': { schema: queryAnswerSchema } } },
    ...problemResponses(400, 401, 403, 409, 415, 422, 501, 503),
  },
})
