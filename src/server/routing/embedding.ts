import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { routes } from '../../protocol/routes.js'
import type { AppEnv } from './app-env.js'
import { pathOf } from './target-check.js'

/**
 * What pages may embed from this server: as code, only the dashboard's own files, because a file may be uploaded by
 * anyone, and a script would run with the rights of the page that loads it. Pages of other origins may embed only the
 * files of links (Cross-Origin-Resource-Policy). Throws `not-allowed`.
 */
export function limitEmbedding(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const path = pathOf(incoming.url ?? '')
    const isLink = path.startsWith(`${routes.shared}/`)
    outgoing.setHeader('Cross-Origin-Resource-Policy', isLink ? 'cross-origin' : 'same-origin')
    const destination = String(incoming.headers['sec-fetch-dest'] ?? '')
    if (codeDestinations.has(destination) && !isOfDashboard(path)) {
      throw new Problem('not-allowed', `Files are served as data only, not as "${destination}".`)
    }
    await next()
  }
}

function isOfDashboard(path: string): boolean {
  return path.startsWith('/assets/') || path === '/manifest.webmanifest'
}

/**
 * Fetch standard, section 2.2.5: the script-like destinations, and those that load scripts or change how a page looks.
 * Browsers send Sec-Fetch-Dest only over https and to loopback: elsewhere the dashboard's own policy must suffice.
 */
const codeDestinations: ReadonlySet<string> = new Set([
  'audioworklet',
  'embed',
  'manifest',
  'object',
  'paintworklet',
  'script',
  'serviceworker',
  'sharedworker',
  'style',
  'worker',
  'xslt',
])
