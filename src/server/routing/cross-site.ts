import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import type { ServerConfig } from '../config.js'
import { allowedOrigins } from './cors.js'
import { isOwnOrigin } from './own-origin.js'

export type CrossSiteConfig = Pick<ServerConfig, 'publicUrl' | 'trustProxy' | 'corsOrigin'>

/**
 * Rejects requests of pages of another origin, including another port of this host, unless `--cors-origin` allows it.
 * Browsers send `Sec-Fetch-Site` (https://www.w3.org/TR/fetch-metadata/), but not over plain HTTP to other hosts; there
 * `Origin` must be this server's own, which `null`, of sandboxed frames and after redirects, never is. Pages can forge
 * neither, and other programs, which send neither, are accepted. Throws `not-allowed`.
 */
export function refuseCrossSite(incoming: IncomingMessage, config: CrossSiteConfig): void {
  const { origin, 'sec-fetch-site': site } = incoming.headers
  const allowed = allowedOrigins(config.corsOrigin)
  if (origin !== undefined && (allowed.includes('*') || allowed.includes(origin))) return
  // The browser has compared the page with the requested address, so this is valid also behind a proxy that changes
  // Host.
  if (site === 'same-origin' || site === 'none') return
  if (site === undefined && (origin === undefined || isOwnOrigin(origin, incoming, config))) return
  const advice = 'behind a proxy, start the server with --public-url; for pages of other sites, with --cors-origin'
  throw new Problem(
    'not-allowed',
    `Pages of other origins (${origin ?? site}) may not change anything here: ${advice}.`,
  )
}
