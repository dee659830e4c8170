import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { isLoopbackHost } from '../../protocol/loopback.js'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { ServerConfig } from '../config.js'
import type { Metrics } from '../metrics.js'
import { problemResponses } from '../openapi/answers.js'
import type { AppEnv } from '../routing/app-env.js'

export interface MetricsRouteServices {
  metrics: Metrics
  config: Pick<ServerConfig, 'host' | 'metricsToken'>
}

/** `/metrics` for Prometheus: open on the machine itself, elsewhere with its token. */
export function metricsRoutes({ metrics, config }: MetricsRouteServices) {
  const app = new OpenAPIHono<AppEnv>()
  app.openapi(metricsRoute, async (c) => {
    checkAccess(c.env.incoming.headers, config)
    return c.text(await metrics.render(), 200, { 'Content-Type': metrics.contentType })
  })
  return app
}

const metricsRoute = createRoute({
  method: 'get',
  path: routes.metrics,
  summary: 'Metrics for Prometheus',
  description:
    'Open on a loopback host to requests without forwarding headers; else it asks for the token of `--metrics-token-file` or `FILEJOBS_METRICS_TOKEN`.',
  responses: {
    200: { description: "Prometheus' text format", content: { 'text/plain': { schema: z.string() } } },
    ...problemResponses(401, 403),
  },
})

/** Throws `not-allowed` if no token is configured, and `not-logged-in` for a missing or wrong one. */
function checkAccess(headers: IncomingHttpHeaders, { host, metricsToken }: MetricsRouteServices['config']): void {
  // A proxy on this machine forwards requests of unknown origin.
  if (isLoopbackHost(host) && !Object.keys(headers).some((name) => forwarding.test(name))) return
  if (metricsToken === null) {
    throw new Problem(
      'not-allowed',
      'The metrics are closed: start the server with --metrics-token-file or FILEJOBS_METRICS_TOKEN to open them.',
    )
  }
  const token = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (token === undefined || !isSame(token, metricsToken)) {
    throw new Problem('not-logged-in', 'The metrics need their token as "Authorization: Bearer TOKEN".')
  }
}

/** Headers that proxies add, such as X-Forwarded-Port, X-Real-IP, True-Client-IP and CF-Connecting-IP. */
const forwarding = /^(forwarded|via|x-forwarded.*|.+-ip)$/

/** Compares in constant time. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(wanted))
}
