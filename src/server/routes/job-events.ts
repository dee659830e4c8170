import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { jobEventSchema } from '../../protocol/jobs.js'
import { routes } from '../../protocol/routes.js'
import { requirePermission } from '../auth/permissions.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { sendEvents } from '../http/event-stream.js'
import { validate } from '../http/json-body.js'
import type { EventFormat } from '../jobs/event-format.js'
import type { JobFeed } from '../jobs/feed.js'

/** `GET /jobs/events`: what happens to jobs, as it happens. */
export function jobEventRoutes({ feed }: { feed: JobFeed }) {
  const app = new OpenAPIHono<AppEnv>()

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: routes.jobEvents,
    summary: 'Listen to my jobs',
    description:
      'Begins with a `snapshot` of every unfinished job; each change is a `job` event. Progress comes at most four ' +
      'times a second for each job, a change of state always. `Last-Event-ID` brings what was missed; where that is ' +
      'not known any more, `resync` and snapshots. A heartbeat comes every 15 seconds.',
    request: {
      headers: z.object({ 'Last-Event-ID': z.string().optional() }),
      query: z.object({ account: z.string().optional().meta({ description: '`all`: everybody’s jobs, for admins' }) }),
    },
    responses: {
      200: {
        description: 'The events, without end',
        content: {
          'text/event-stream': { schema: jobEventSchema },
          'application/x-ndjson': { schema: jobEventSchema },
        },
      },
      ...problemResponses(400, 401, 403, 503),
    },
  })
  // Hono asks a GET handler for HEAD too.
  app.get(routes.jobEvents, async (c) => {
    const identity = c.get('identity')
    const { account } = validate(c.req.query(), query)
    if (account === 'all') requirePermission(identity, 'seeEveryJob')
    const format = formatOf(c.req.header('accept'))
    const headers = headersOf(format)
    if (c.env.incoming.method === 'HEAD') return new Response(null, { headers })
    await sendEvents(c.env.outgoing, headers, identity.revoked, (onNews, onEnd) =>
      feed.listen({
        accountId: account === 'all' ? null : identity.account.id,
        format,
        after: c.req.header('last-event-id') || undefined,
        onNews,
        onEnd,
      }),
    )
    return RESPONSE_ALREADY_SENT
  })
  return app
}

const query = z.object({ account: z.enum(['mine', 'all']).default('mine') })

/** Of the two, the one that is named first; server-sent events where neither is. */
function formatOf(accept: string | undefined): EventFormat {
  const first = /text\/event-stream|application\/(?:x-)?ndjson/i.exec(accept ?? '')?.[0]
  return first && /ndjson$/i.test(first) ? 'ndjson' : 'sse'
}

function headersOf(format: EventFormat): Record<string, string> {
  return {
    'Content-Type': format === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
    'Cache-Control': 'no-store',
    Vary: 'Accept, Origin',
    // nginx would hold events back until a buffer is full.
    'X-Accel-Buffering': 'no',
  }
}
