import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from './app-env.js'

/**
 * Rejects targets with a segment `.` or `..`, encoded or not: the router resolves them, and would serve another path.
 * Throws `invalid-request`.
 */
export function targetCheck(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (/\/(?:\.|%2e){1,2}(?:[/?#\\]|%2f|%5c|$)/i.test(pathOf(c.env.incoming.url ?? ''))) {
      throw new Problem('invalid-request', 'The path has a segment "." or "..".', { field: 'name' })
    }
    await next()
  }
}

/** Of a raw request target, without its query; also of an absolute URL, as proxies send it (RFC 9112 section 3.2.2). */
export function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '')
}
