import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { ServerConfig } from '../config.js'
import { problemResponses } from '../http/answers.js'
import type { AppEnv } from '../http/app-env.js'
import { isLoopbackHost } from '../http/loopback.js'
import type { Metrics } from '../metrics.js'

export interface MetricsRouteServices {
  metrics: Metrics
  config: Pick<ServerConfig, 'host' | 'metricsToken'>
}

/** `/metrics` for Prometheus: open to this machine itself, else by `--metrics-token`. */
export function metricsRoutes({ metrics, config }: MetricsRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  app.openapi(metricsRoute, async (c) => {
    checkAccess(c.env.incoming.headers, config)
    return c.text(await metrics.render(), 200, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' })
  })
  return app
}

const metricsRoute = createRoute({
  method: 'get',
  path: routes.metrics,
  summary: 'Metrics for Prometheus',
  description:
    'Open on a loopback host to requests without forwarding headers; else it asks for the bearer token of `--metrics-token`.',
  responses: {
    200: { description: "Prometheus' text format", content: { 'text/plain': { schema: z.string() } } },
    ...problemResponses(401, 403),
  },
})

/** Throws `not-allowed` where no token would help, and `not-logged-in` where the right one would. */
function checkAccess(headers: IncomingHttpHeaders, { host, metricsToken }: MetricsRouteServices['config']): void {
  // What a proxy on this machine passes on comes from who knows where.
  if (isLoopbackHost(host) && !Object.keys(headers).some((name) => forwarding.test(name))) return
  if (metricsToken === null) {
    throw new Problem('not-allowed', 'The metrics are closed: start the server with --metrics-token to open them.')
  }
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined || !isSame(token, metricsToken)) {
    throw new Problem('not-logged-in', 'The metrics need the token of --metrics-token as "Authorization: Bearer".')
  }
}

/** What proxies add, such as X-Forwarded-Port, X-Real-IP, True-Client-IP and CF-Connecting-IP. */
const forwarding = /^(forwarded|via|x-forwarded.*|.+-ip)$/

/** In a time that does not tell how much of it was right. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
