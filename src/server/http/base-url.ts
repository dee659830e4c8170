import type { IncomingMessage } from 'node:http'
import { Problem } from '../../protocol/problems.js'
import type { ServerConfig } from '../config.js'

/**
 * What absolute addresses of this server begin with: the public URL where there is one, else the host that was asked.
 * That host was checked by `hostCheck`, or else whoever asks fools nobody but themselves. Throws `invalid-request`.
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
