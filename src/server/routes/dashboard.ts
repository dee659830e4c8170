import type { Context } from 'hono'
import { Hono } from 'hono'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from '../http/app-env.js'
import type { Dashboard, DashboardFile } from '../http/dashboard-files.js'
import { matchesWeakly, parseEntityTags } from '../http/ranges.js'

/** `/`: the dashboard, and the files that it consists of. */
export function dashboardRoutes({ dashboard }: { dashboard: Dashboard }) {
  const app = new Hono<AppEnv>()
  app.get('/', (c) => {
    const page = dashboard.get('index.html')
    if (!page) throw new Problem('not-found', 'The dashboard was not built: "npm run build" builds it.')
    return answer(c, page, { ...pageHeaders, 'Cache-Control': 'no-cache' })
  })
  app.get('/assets/:name', (c) => {
    const file = dashboard.get(`assets/${c.req.param('name')}`)
    if (!file) throw new Problem('not-found', `There is nothing at ${c.req.path}.`)
    // Their names change with what is in them.
    return answer(c, file, { 'Cache-Control': 'public, max-age=31536000, immutable' })
  })
  app.get('/favicon.svg', (c) => {
    const file = dashboard.get('favicon.svg')
    if (!file) throw new Problem('not-found', 'There is no icon.')
    return answer(c, file, { 'Cache-Control': 'public, max-age=86400' })
  })
  return app
}

function answer(c: Context<AppEnv>, file: DashboardFile, headers: Record<string, string>): Response {
  const common = { ...headers, ETag: file.entityTag, Vary: 'Accept-Encoding', 'X-Content-Type-Options': 'nosniff' }
  const known = parseEntityTags(c.req.header('if-none-match'))
  if (known && matchesWeakly(known, file.entityTag)) return c.body(null, 304, common)
  const [encoding, bytes] = encodingOf(c.req.header('accept-encoding'), file)
  return c.body(new Uint8Array(bytes), 200, {
    ...common,
    'Content-Type': file.type,
    ...(encoding === null ? {} : { 'Content-Encoding': encoding }),
  })
}

function encodingOf(accepted: string | undefined, { brotli, gzip, bytes }: DashboardFile): [string | null, Buffer] {
  const accepts = (name: string) =>
    new RegExp(`(^|,)\\s*${name}\\s*(;\\s*q=(0\\.0*[1-9]|1)[0-9.]*\\s*)?(,|$)`).test(accepted ?? '')
  if (brotli && accepts('br')) return ['br', brotli]
  if (gzip && accepts('gzip')) return ['gzip', gzip]
  return [null, bytes]
}

const pageHeaders = {
  // Nothing from another host, nothing inline, nobody's frame: a file name that is HTML stays a name.
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
}
