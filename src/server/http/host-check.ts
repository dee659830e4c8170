import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import type { ServerConfig } from '../config.js'
import { isLoopbackHost } from './loopback.js'

/**
 * Bound to a loopback host, only requests whose Host is loopback, or that of the public URL, are served: a page of another site
 * that makes its own name point here (DNS rebinding) cannot reach what is open to this machine. Throws `host-not-allowed`.
 */
export function hostCheck(config: Pick<ServerConfig, 'host' | 'publicUrl'>): MiddlewareHandler {
  return async (c, next) => {
    checkHost(c.req.header('host'), config)
    await next()
  }
}

/** As `hostCheck`, for one value of the Host header. */
export function checkHost(header: string | undefined, config: Pick<ServerConfig, 'host' | 'publicUrl'>): void {
  if (!isLoopbackHost(config.host)) return
  const host = (header ?? '').toLowerCase()
  if (isLoopbackHost(withoutPort(host))) return
  if (config.publicUrl !== null && host === new URL(config.publicUrl).host) return
  const advice = 'use http://127.0.0.1, or start the server with --public-url'
  throw new Problem('host-not-allowed', `This server listens for its own machine only, not for "${host}": ${advice}.`)
}

function withoutPort(host: string): string {
  return host.replace(/:\d*$/, '')
}
