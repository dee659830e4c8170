import type { IncomingMessage } from 'node:http'
import type { ServerConfig } from '../config.js'
import { baseUrl } from './base-url.js'

export type OriginConfig = Pick<ServerConfig, 'publicUrl' | 'trustProxy'>

/**
 * Whether an `Origin` is this server's own, including the port. Throws `invalid-request` if Host is not a valid host
 * name.
 */
export function isOwnOrigin(origin: string, incoming: IncomingMessage, config: OriginConfig): boolean {
  const page = URL.canParse(origin) ? new URL(origin) : null
  if (page === null || page.origin !== origin.toLowerCase()) return false
  const own = new URL(baseUrl(incoming, config))
  // A page over https may have passed through an unknown proxy; one over plain HTTP has not.
  if (page.protocol === 'http:' && own.protocol === 'https:') return false
  const names = [own.host, incoming.headers.host, forwardedHost(incoming, config)]
  // Parsed, because clients may include or omit the default port of the scheme.
  return names.some((host) => {
    const url = `${page.protocol}//${host}`
    return host !== undefined && URL.canParse(url) && new URL(url).host === page.host
  })
}

/** The host that a client requested from the outermost trusted proxy. */
function forwardedHost({ headers }: IncomingMessage, { trustProxy }: OriginConfig): string | undefined {
  if (trustProxy === 0) return undefined
  const chain = headers['x-forwarded-host']?.toString().split(',') ?? []
  return chain[Math.max(0, chain.length - trustProxy)]?.trim()
}
