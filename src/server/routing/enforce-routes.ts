import type { IncomingMessage } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import { compress } from 'hono/compress'
import { Problem } from '../../protocol/problems.js'
import { admit, type Identifier, requireRole, tokenOf } from '../auth/guard.js'
import { wholeServer } from '../http/asterisk-form.js'
import type { AppEnv } from './app-env.js'
import { type CrossSiteConfig, refuseCrossSite } from './cross-site.js'
import { allowedMethods, type RoutesAtPath, routeFinder } from './find-routes.js'
import { acceptPageCookie } from './page-cookie.js'
import { opensPage } from './page-navigation.js'
import { cacheControl, type Method, methods, type RouteEntry, type RouteKey } from './route-entry.js'
import { isSafe } from './safe-method.js'
import { addVary } from './vary.js'

export interface Enforcement {
  authentication: Identifier
  config: CrossSiteConfig
  /** Answers with the dashboard. */
  answerPage(c: Context<AppEnv>): Response
}

/**
 * Enforces the entry of the table for every request before its handler: 404, 405 and OPTIONS, pages of other origins,
 * the dashboard, the token or the cookie, caching and compression. Throws `not-found`, `method-not-allowed`, `not-logged-in`,
 * `not-allowed`.
 */
export function enforceRoutes(
  table: Readonly<Record<RouteKey, RouteEntry>>,
  { authentication, config, answerPage }: Enforcement,
): MiddlewareHandler<AppEnv> {
  const routesAt = routeFinder(table)
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    const { method, path } = c.req
    if (method === 'OPTIONS' && path === wholeServer) {
      outgoing.setHeader('Allow', [...methods, 'OPTIONS'].join(', '))
      return c.body(null, 204)
    }
    const routes = routesAt(path)
    if (!routes) throw new Problem('not-found', `There is nothing at ${method} ${path}.`)
    const entry = entryFor(incoming, routes)
    const errors = (entry ?? [...routes.values()][0])?.errors
    if (errors) c.set('errors', errors)
    if (method === 'OPTIONS' || !entry) {
      const allowed = allowedMethods(routes)
      outgoing.setHeader('Allow', allowed)
      if (method === 'OPTIONS') return c.body(null, 204)
      throw new Problem('method-not-allowed', `${method} is not allowed at ${path}. Use ${allowed}.`)
    }
    if (entry.crossSite === 'refused' || !isSafe(incoming)) refuseCrossSite(incoming, config)
    if (opensPage(c, entry)) {
      outgoing.setHeader('Cache-Control', cacheControl.public)
      return answerPage(c)
    }
    if (entry.audit) c.set('auditEvent', entry.audit)
    // On Node's response, because files are sent without Hono's. Headers set by a handler take precedence.
    outgoing.setHeader('Cache-Control', cacheControl[entry.caching])
    if (entry.access !== 'open') {
      if (entry.cookie) acceptPageCookie(c, config)
      const token = tokenOf((name) => c.req.header(name)) ?? c.get('pageToken')
      const identity = await admit(token, authentication)
      // Before its role is looked at, so that the log says who was refused.
      c.set('identity', identity)
      if (entry.access !== 'account') requireRole(identity, entry.access)
      c.set('everyAccount', entry.everyAccount ?? [])
      c.set('uploaders', entry.uploaders ?? [])
    }
    return entry.compressed ? compressed(c, next) : next()
  }
}

function entryFor(incoming: IncomingMessage, routes: RoutesAtPath): RouteEntry | undefined {
  const overridden = [...routes.values()].some(({ methodOverride }) => methodOverride)
  // tus: "if the X-HTTP-Method-Override header is presented, the actual method of the request MUST be ignored."
  const override = overridden ? incoming.headers['x-http-method-override']?.toString().toUpperCase() : undefined
  const method = (override ?? incoming.method) as Method
  return routes.get(method) ?? (method === 'HEAD' ? routes.get('GET') : undefined)
}

const compressJson = compress({ contentTypeFilter: /^application\/json/ })

function compressed(c: Context<AppEnv>, next: () => Promise<void>) {
  addVary(c, 'Accept-Encoding')
  return compressJson(c, next)
}
