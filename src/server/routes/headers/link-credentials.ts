import type { IncomingMessage } from 'node:http'
import type { ServerConfig } from '../../config.js'
import { baseUrl } from '../../routing/base-url.js'
import { requestCookie } from '../../routing/request-cookie.js'
import type { LinkCredentials, LinkPass } from '../../transfers/link-passwords.js'

/**
 * The password of `Authorization: Basic` (RFC 7617), whose username is ignored, and the cookie that a browser got for the
 * password on the link's page.
 */
export function linkCredentials(incoming: IncomingMessage): LinkCredentials {
  return { password: basicPassword(incoming), pass: requestCookie(incoming, cookieName) }
}

/** The value of `Set-Cookie`: only the addresses of this link, which begin with its own path, get it. */
export function linkCookie(
  incoming: IncomingMessage,
  config: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>,
  path: string,
  { value, seconds }: LinkPass,
): string {
  const secure = baseUrl(incoming, config).startsWith('https:') ? '; Secure' : ''
  // Lax: a link in a mail is opened from another site.
  return `${cookieName}=${value}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`
}

function basicPassword({ headers }: IncomingMessage): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(headers.authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined
}

const cookieName = 'filejobs-link'
