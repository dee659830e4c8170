import type { MiddlewareHandler } from 'hono'
import type { ServerConfig } from '../config.js'
import type { AppEnv } from './app-env.js'

/**
 * If the server is reached by https, makes browsers use it exclusively for a year (RFC 6797); over http they ignore the
 * header.
 */
export function strictTransport({
  tls,
  publicUrl,
}: Pick<ServerConfig, 'tls' | 'publicUrl'>): MiddlewareHandler<AppEnv> {
  const isSecure = tls !== null || publicUrl?.startsWith('https:') === true
  return (c, next) => {
    if (isSecure) c.env.outgoing.setHeader('Strict-Transport-Security', 'max-age=31536000')
    return next()
  }
}
