import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { jobEventSchema } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import { requireRole } from '../auth/guard.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { EventFormat } from '../jobs/event-format.js'
import type { JobFeed } from '../jobs/feed.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'
import { validate } from './bodies/json-body.js'
import { sendEvents } from './responses/event-stream.js'

/** `GET /jobs/events`: live changes of jobs. */
export function jobEventRoutes({ feed }: { feed: JobFeed }) {
  const app = new OpenAPIHono<AppEnv>()
  const streams = new Semaphore({ slotsPerKey: streamsPerAccount })

  app.openAPIRegistry.registerPath({
    method: 'get',
    path: routes.jobEvents,
    summary: 'Listen to my jobs',
    description:
      'Begins with a `snapshot` of every unfinished job; each change is a `job` event. Progress comes at most four ' +
      'times a second for each job, a change of state always. `Last-Event-ID` brings what was missed; where that is ' +
      'not known any more, `resync` and snapshots. A heartbeat comes every 15 seconds.',
    request: {
      headers: z.object({
        'Last-Event-ID': z.string().optional().meta({ description: 'the id of the last event that was received' }),
      }),
      query: z.object({
        account: z
          .enum(['mine', 'all'])
          .default('mine')
          .meta({ description: '`all`: the jobs of every account (admin)' }),
      }),
    },
    responses: {
      200: {
        description: 'The events, without end',
        content: {
          'text/event-stream': { schema: jobEventSchema },
          'application/x-ndjson': { schema: jobEventSchema },
        },
      },
      ...problemResponses(400, 401, 403, 429, 503),
    },
  })
  // Hono calls GET handlers for HEAD too.
  app.get(routes.jobEvents, async (c) => {
    const identity = c.get('identity')
    const { account } = validate(c.req.query(), query)
    if (account === 'all') requireRole(identity, c.get('everyAccount'))
    const format = formatOf(c.req.header('accept'))
    const headers = headersOf(format)
    if (c.env.incoming.method === 'HEAD') return new Response(null, { headers })
    const release = streams.tryAcquire(String(identity.account.id))
    if (!release) throw tooManyStreams()
    try {
      await sendEvents(c.env.outgoing, headers, identity.revoked, (onNews, onEnd) =>
        feed.listen({
          accountId: account === 'all' ? null : identity.account.id,
          format,
          after: c.req.header('last-event-id') || undefined,
          onNews,
          onEnd,
        }),
      )
    } finally {
      release()
    }
    return RESPONSE_ALREADY_SENT
  })
  return app
}

const streamsPerAccount = 64

function tooManyStreams(): Problem {
  const message = `An account has ${streamsPerAccount} event streams at most: close one first.`
  return new Problem('too-many-requests', message, { retryAfter: 5 })
}

const query = z.object({ account: z.enum(['mine', 'all']).default('mine') })

/** Of the two formats, the one that Accept names first; server-sent events by default. */
function formatOf(accept: string | undefined): EventFormat {
  const first = /text\/event-stream|application\/(?:x-)?ndjson/i.exec(accept ?? '')?.[0]
  return first && /ndjson$/i.test(first) ? 'ndjson' : 'sse'
}

function headersOf(format: EventFormat): Record<string, string> {
  return {
    'Content-Type': format === 'sse' ? 'text/event-stream' : 'application/x-ndjson',
    Vary: 'Accept, Origin',
    // nginx would buffer events.
    'X-Accel-Buffering': 'no',
  }
}
