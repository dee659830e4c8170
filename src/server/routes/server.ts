import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { checkReportSchema, logLineSchema, recentLogSchema, serverStateSchema } from '../../protocol/server-state.js'
import { Semaphore } from '../concurrency/semaphore.js'
import { problemResponses } from '../openapi/answers.js'
import type { RecentLog } from '../operator/recent-log.js'
import type { ServerView } from '../operator/server-view.js'
import type { StorageChecks } from '../operator/storage-checks.js'
import type { AppEnv } from '../routing/app-env.js'
import { validate } from './bodies/json-body.js'
import { sendEvents } from './responses/event-stream.js'

export interface ServerRouteServices {
  serverView: Pick<ServerView, 'node' | 'state'>
  storageChecks: Pick<StorageChecks, 'run'>
  recentLog: Pick<RecentLog, 'lines' | 'listen'>
}

/** `/server`: what an admin sees of the server, and its log. */
export function serverRoutes({ serverView, storageChecks, recentLog }: ServerRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  const streams = new Semaphore({ slotsPerKey: streamsPerAccount })

  app.openapi(stateRoute, async (c) => c.json(await serverView.state(), 200))

  app.openapi(checkRoute, async (c) => c.json(await storageChecks.run(), 200))

  app.openAPIRegistry.registerPath(logRoute)
  app.get(routes.serverLog, (c) => {
    const { limit } = validate(c.req.query(), logQuery)
    return c.json({ node: serverView.node, lines: recentLog.lines(limit) }, 200)
  })

  app.openAPIRegistry.registerPath(logEventsRoute)
  // Hono calls GET handlers for HEAD too.
  app.get(routes.serverLogEvents, async (c) => {
    const { limit } = validate(c.req.query(), logQuery)
    if (c.env.incoming.method === 'HEAD') return new Response(null, { headers: streamHeaders })
    const { account, revoked } = c.get('identity')
    const release = streams.tryAcquire(String(account.id))
    if (!release) throw tooManyStreams()
    try {
      const after = c.req.header('last-event-id') || undefined
      await sendEvents(c.env.outgoing, streamHeaders, revoked, (onNews, onEnd) =>
        recentLog.listen({ after, limit, onNews, onEnd }),
      )
    } finally {
      release()
    }
    return RESPONSE_ALREADY_SENT
  })
  return app
}

const streamsPerAccount = 16

const streamHeaders = {
  'Content-Type': 'text/event-stream',
  // nginx would buffer events.
  'X-Accel-Buffering': 'no',
}

function tooManyStreams(): Problem {
  const message = `An account has ${streamsPerAccount} streams of the log at most: close one first.`
  return new Problem('too-many-requests', message, { retryAfter: 5 })
}

const logQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(0)
    .default(200)
    .transform((limit) => Math.min(limit, 1000)),
})

const logParameters = z.object({
  limit: z.int().min(0).max(1000).default(200).meta({ description: 'how many of the last lines' }),
})

const stateRoute = createRoute({
  method: 'get',
  path: routes.server,
  summary: 'The server: version, disk, limits in force, and all servers of its database (admin)',
  responses: {
    200: { description: 'The server', content: { 'application/json': { schema: serverStateSchema } } },
    ...problemResponses(401, 403),
  },
})

const checkRoute = createRoute({
  method: 'post',
  path: routes.serverCheck,
  summary: 'Check what is stored, while the server runs (admin)',
  description:
    'Compares records with what is stored, and lists what cannot be served; it reads no contents and changes nothing. It ends after 50 s ' +
    'with what it has found. A request during a check is answered with it.',
  responses: {
    200: { description: 'What was found', content: { 'application/json': { schema: checkReportSchema } } },
    ...problemResponses(401, 403, 503),
  },
})

const logRoute = createRoute({
  method: 'get',
  path: routes.serverLog,
  summary: 'The last lines of the log of the server that answers (admin)',
  request: { query: logParameters },
  responses: {
    200: { description: 'Lines, oldest first', content: { 'application/json': { schema: recentLogSchema } } },
    ...problemResponses(400, 401, 403),
  },
})

const logEventsRoute = createRoute({
  method: 'get',
  path: routes.serverLogEvents,
  summary: 'Listen to the log of the server that answers (admin)',
  description: 'Begins with its last lines, or with those after `Last-Event-ID`. Each line is a `line` event.',
  request: {
    query: logParameters,
    headers: z.object({ 'Last-Event-ID': z.string().optional().meta({ description: 'the id of the last line' }) }),
  },
  responses: {
    200: { description: 'The lines, without end', content: { 'text/event-stream': { schema: logLineSchema } } },
    ...problemResponses(400, 401, 403, 429, 503),
  },
})
