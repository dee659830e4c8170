import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Context, Hono } from 'hono'
import { isLoopbackHost } from '../../protocol/loopback.js'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from '../routing/app-env.js'
import { baseUrl } from '../routing/base-url.js'
import type { PageConfig } from '../routing/page-cookie.js'
import { type Dashboard, noncePlaceholder } from './responses/dashboard-files.js'
import { answerStatic } from './responses/static-file.js'

export interface DashboardServices {
  dashboard: Dashboard
  config: PageConfig
}

/** `/`, and addresses that only the dashboard has: the dashboard. Its files. */
export function dashboardRoutes(services: DashboardServices) {
  const { dashboard } = services
  const app = new Hono<AppEnv>()
  for (const path of ['/', '/account', '/shared', '/admin/:view', '/admin/jobs/:id'])
    app.get(path, (c) => answerDashboard(c, services))
  app.get('/assets/:file', (c) => {
    const file = dashboard.get(`assets/${c.req.param('file')}`)
    if (!file) throw new Problem('not-found', `There is nothing at ${c.req.path}.`)
    // Their names change with their content.
    return answerStatic(c, file, { 'Cache-Control': 'public, max-age=31536000, immutable' })
  })
  for (const path of ['/favicon.svg', '/manifest.webmanifest', '/icons/:file']) {
    app.get(path, (c) => {
      const file = dashboard.get(c.req.path.slice(1))
      if (!file) throw new Problem('not-found', `There is nothing at ${c.req.path}.`)
      return answerStatic(c, file, { 'Cache-Control': 'public, max-age=86400' })
    })
  }
  return app
}

/** Answers with the dashboard. Throws `not-found` if it was not built. */
export function answerDashboard(c: Context<AppEnv>, { dashboard, config }: DashboardServices): Response {
  const page = dashboard.get('index.html')
  if (!page) throw new Problem('not-found', 'The dashboard was not built: "npm run build" builds it.')
  const nonce = randomBytes(18).toString('base64')
  const html = page.bytes.toString().replaceAll(noncePlaceholder, nonce)
  // Without an entity tag: a cached page would not match the policy of a 304 response.
  return c.body(html, 200, {
    ...pageHeaders,
    ...(isTrustworthy(c.env.incoming, config) ? { 'Cross-Origin-Opener-Policy': 'same-origin' } : {}),
    'Content-Type': page.type,
    'Content-Security-Policy': policyOf(nonce),
  })
}

/**
 * Whether browsers honor Cross-Origin-Opener-Policy here; elsewhere they log a warning (HTML standard, section 7.1.3).
 */
function isTrustworthy(incoming: IncomingMessage, config: PageConfig): boolean {
  // HTTP/1.0 has no Host.
  if (incoming.headers.host === undefined) return false
  const { protocol, hostname } = new URL(baseUrl(incoming, config))
  return protocol === 'https:' || isLoopbackHost(hostname)
}

/**
 * No other hosts, no inline code, no frames: a file name that is HTML stays a name. Scripts and styles are allowed by
 * nonce, not by origin: uploaded files have the page's origin.
 */
function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src 'self'",
    "media-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

const pageHeaders = {
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
}
