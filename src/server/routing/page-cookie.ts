import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import { Problem } from '../../protocol/problems.js'
import { csrfHeader } from '../../protocol/routes.js'
import { tokenOf } from '../auth/guard.js'
import type { AppEnv } from './app-env.js'
import { baseUrl } from './base-url.js'
import { isOwnOrigin, type OriginConfig } from './own-origin.js'
import { requestCookie } from './request-cookie.js'
import { isSafe } from './safe-method.js'

export type PageConfig = OriginConfig

/**
 * Accepts the token of the dashboard's cookie in place of one in a header; the guard reads it from there. Requests that
 * change something need a header that only our own pages can send. Throws `not-allowed`.
 */
export function acceptPageCookie(c: Context<AppEnv>, config: PageConfig): void {
  const { incoming } = c.env
  if (tokenOf((name) => c.req.header(name)) !== undefined) return
  const token = cookieOf(incoming, config)
  if (token === undefined) return
  checkSite(incoming)
  if (!isSafe(incoming)) checkPage(incoming, config)
  c.set('pageToken', token)
}

/** Throws `not-allowed` unless the request comes from a page of this server. */
export function checkPage(incoming: IncomingMessage, config: PageConfig): void {
  const { origin = '', [csrfHeader.toLowerCase()]: csrf } = incoming.headers
  if (csrf !== '1') {
    throw new Problem('not-allowed', `By a cookie, what changes something needs the header "${csrfHeader}: 1".`)
  }
  if (isOwnOrigin(origin, incoming, config)) return
  const advice = 'behind a proxy, start the server with --public-url'
  throw new Problem('not-allowed', `The origin "${origin}" is not this server's own: ${advice}.`)
}

/** The value of `Set-Cookie` for a login that expires at `expiresAt`. */
export function pageCookie(incoming: IncomingMessage, config: PageConfig, token: string, expiresAt: Date): string {
  const seconds = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000))
  const { name, secure } = cookieAt(incoming, config)
  return `${name}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`
}

/** The value of `Set-Cookie` after a logout. */
export function noPageCookie(incoming: IncomingMessage, config: PageConfig): string {
  return pageCookie(incoming, config, '', new Date(0))
}

/** SameSite ignores ports, so a page of another program on this machine could read with it. */
function checkSite({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  throw new Problem('not-allowed', 'Only pages of this very server may use its cookie.')
}

function cookieOf(incoming: IncomingMessage, config: PageConfig): string | undefined {
  if (incoming.headers.cookie === undefined) return undefined
  return requestCookie(incoming, cookieAt(incoming, config).name)
}

/** Cookies are shared by all ports of a host: the port is part of the name, or two servers would log each other out. */
function cookieAt(incoming: IncomingMessage, config: PageConfig): { name: string; secure: boolean } {
  const { protocol, port } = new URL(baseUrl(incoming, config))
  const secure = protocol === 'https:'
  return { name: `${secure ? '__Host-' : ''}filejobs${port === '' ? '' : `-${port}`}`, secure }
}
