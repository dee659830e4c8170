import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { csrfHeader } from '../../protocol/routes.js'
import { tokenOf } from '../auth/guard.js'
import type { ServerConfig } from '../config.js'
import type { AppEnv } from './app-env.js'
import { baseUrl } from './base-url.js'

export type PageConfig = Pick<ServerConfig, 'publicUrl' | 'trustProxy'>

/**
 * Lets the token of the dashboard's cookie stand in for one in a header; the guard takes it from there. Only for routes that
 * no other site's form or script can use: what changes something must bear a header that only a page of ours can send.
 * Throws `not-allowed`.
 */
export function acceptPageCookie(config: PageConfig): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming } = c.env
    const token = tokenOf((name) => c.req.header(name)) === undefined ? cookieOf(incoming, config) : undefined
    if (token !== undefined) {
      checkSite(incoming)
      if (!isSafe(incoming)) checkPage(incoming, config)
      c.set('pageToken', token)
    }
    await next()
  }
}

/** Throws `not-allowed` unless a page of this very server asks. */
export function checkPage(incoming: IncomingMessage, config: PageConfig): void {
  const { headers } = incoming
  if (headers[csrfHeader.toLowerCase()] !== '1') {
    throw new Problem('not-allowed', `By a cookie, what changes something needs the header "${csrfHeader}: 1".`)
  }
  const origin = headers.origin ?? ''
  const page = URL.canParse(origin) ? new URL(origin) : null
  const own = new URL(baseUrl(incoming, config))
  // A page by https may come through a proxy that we know nothing of; one by plain http has come through none.
  const isWeaker = page?.protocol === 'http:' && own.protocol === 'https:'
  if (page && !isWeaker && [headers.host?.toLowerCase(), own.host].includes(page.host)) return
  const advice = 'behind a proxy, start the server with --public-url'
  throw new Problem('not-allowed', `The origin "${origin}" is not this server's own: ${advice}.`)
}

/** The value of `Set-Cookie` for a login that lasts until `expiresAt`. */
export function pageCookie(incoming: IncomingMessage, config: PageConfig, token: string, expiresAt: Date): string {
  const seconds = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000))
  const { name, secure } = cookieAt(incoming, config)
  return `${name}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
}

/** The value of `Set-Cookie` after a logout. */
export function noPageCookie(incoming: IncomingMessage, config: PageConfig): string {
  return pageCookie(incoming, config, '', new Date(0))
}

/** RFC 9110 section 9.2.1; a method that a header overrides may be any. */
function isSafe({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['x-http-method-override'] === undefined
}

/** SameSite does not tell ports apart, so that the page of another program on this machine would be let in to read. */
function checkSite({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new Problem('not-allowed', 'Only pages of this very server may use its cookie.')
}

function cookieOf(incoming: IncomingMessage, config: PageConfig): string | undefined {
  const { cookie } = incoming.headers
  if (cookie === undefined) return undefined
  const { name } = cookieAt(incoming, config)
  const pair = cookie.split(';').find((part) => part.trim().startsWith(`${name}=`))
  return pair?.slice(pair.indexOf('=') + 1).trim() || undefined
}

/** A cookie belongs to a host, whatever the port: so the port is part of its name, or two servers would log each other out. */
function cookieAt(incoming: IncomingMessage, config: PageConfig): { name: string; secure: boolean } {
  const { protocol, port } = new URL(baseUrl(incoming, config))
  const secure = protocol === 'https:'
  return { name: `${secure ? '__Host-' : ''}filejobs${port === '' ? '' : `-${port}`}`, secure }
}
