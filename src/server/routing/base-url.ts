import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import type { ServerConfig } from '../config.js'

/**
 * The start of absolute URLs of this server: the public URL if configured, otherwise the requested host. `hostCheck`
 * has validated that host; elsewhere a client that forges it affects only itself. Throws `invalid-request`.
 */
export function baseUrl(
  { headers, socket }: IncomingMessage,
  { publicUrl, trustProxy }: Pick<ServerConfig, 'publicUrl' | 'trustProxy'>,
): string {
  if (publicUrl !== null) return publicUrl
  const forwarded = trustProxy > 0 && /^\s*https\b/i.test(headers['x-forwarded-proto']?.toString() ?? '')
  const scheme = forwarded || 'encrypted' in socket ? 'https' : 'http'
  const url = `${scheme}://${headers.host ?? ''}`
  if (URL.canParse(url) && new URL(url).pathname === '/' && new URL(url).username === '') return new URL(url).origin
  throw new Problem('invalid-request', `Host: "${headers.host}" is not the name of a host.`, { field: 'Host' })
}
