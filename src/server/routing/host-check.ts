import type { MiddlewareHandler } from 'hono'
import { isLoopbackHost } from '../../protocol/loopback.js'
import { Problem } from '../../protocol/problems.js'
import type { ServerConfig } from '../config.js'
import type { AppEnv } from './app-env.js'

/**
 * On a loopback address, accepts only requests whose Host is loopback or that of the public URL: a page of another site
 * whose name resolves to this address (DNS rebinding) must not reach a server that is open to this machine. The host of
 * an absolute-form target is checked as well, because it replaces Host (RFC 9112 section 3.2.2). Throws
 * `host-not-allowed`.
 */
export function hostCheck(config: Pick<ServerConfig, 'host' | 'publicUrl'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { url = '', headers, httpVersion } = c.env.incoming
    const target = /^https?:\/\/([^/?#]*)/i.exec(url)?.[1]
    if (target !== undefined) checkHost(target, config)
    // Health checks by HTTP/1.0 send no Host; browsers, the target of DNS rebinding, always do.
    if (headers.host !== undefined || httpVersion !== '1.0') checkHost(headers.host, config)
    await next()
  }
}

/** Like `hostCheck`, for one value of the Host header. */
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
