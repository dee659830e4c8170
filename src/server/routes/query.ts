import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, routes } from '../../protocol/routes.js'
import { queryAnswerSchema, querySchema } from '../../protocol/tables.js'
import type { ServerConfig } from '../config.js'
import { hangUpSignal } from '../http/connection.js'
import { answerHeaders } from '../openapi/answer-headers.js'
import { problemResponses } from '../openapi/answers.js'
import { jobHeaders } from '../openapi/request-headers.js'
import type { AppEnv } from '../routing/app-env.js'
import { addVary } from '../routing/vary.js'
import type { Queries } from '../tables/queries.js'
import { readJson } from './bodies/json-body.js'
import { jobIdOf } from './headers/preferences.js'
import { slotWaitOf } from './headers/slot-wait.js'
import { exportOutput } from './responses/export-output.js'
import { formatHeaders, wantedFormat } from './responses/send-table.js'

/** `POST /query`: read-only SQL on the account's own tables. */
export function queryRoutes({ queries, config }: { queries: Queries; config: Pick<ServerConfig, 'queryAllowed'> }) {
  const app = new OpenAPIHono<AppEnv>()
  app.openAPIRegistry.registerPath(queryRoute)
  app.post(routes.query, async (c) => {
    const identity = c.get('identity')
    if (!config.queryAllowed) {
      throw new Problem('not-allowed', 'Queries are off on this server; "filejobs serve --query on" turns them on.')
    }
    const { sql, limit } = await readJson(c.env.incoming, querySchema)
    const format = wantedFormat(c.req.header('accept'))
    addVary(c, 'Accept')
    if (format) {
      await queries.send({
        identity,
        sql,
        limit,
        format,
        jobId: jobIdOf(c.req.header(jobHeader)),
        waitMs: slotWaitOf(c.env.incoming),
        ...exportOutput(c.env.outgoing, 200, { ...formatHeaders('query', format), 'Cache-Control': 'no-store' }),
      })
      return RESPONSE_ALREADY_SENT
    }
    const answer = await queries.run({
      identity,
      sql,
      limit,
      jobId: jobIdOf(c.req.header(jobHeader)),
      waitMs: slotWaitOf(c.env.incoming),
      left: hangUpSignal(c.env.outgoing),
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
  description:
    'One SELECT over my own tables, for 30 s at most. A query is a job: it can be listed and stopped. ' +
    'As JSON the answer has 1,000 rows at most; as CSV, NDJSON or Parquet (`Accept`) all are streamed.',
  request: { headers: jobHeaders, body: { content: { 'application/json': { schema: querySchema } } } },
  responses: {
    200: {
      description: 'The answer',
      headers: answerHeaders(jobHeader),
      content: {
        'application/json': { schema: queryAnswerSchema },
        'text/csv': { schema: z.string() },
        'application/x-ndjson': { schema: z.string() },
        'application/vnd.apache.parquet': { schema: z.string() },
      },
    },
    ...problemResponses(400, 401, 403, 409, 415, 422, 501, 503),
  },
})
