import { createHash } from 'node:crypto'
import { parseObject } from './settings.js'

/**
 * Identifies an account by its token, without a request: by the token's role and account id, which stay the same across
 * logins. A token without them is identified by its digest. This is no authentication.
 */
export function accountKey(token: string): string {
  const payload = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
  if (typeof payload?.sub === 'string' && typeof payload.aud === 'string') return `${payload.aud}:${payload.sub}`
  return createHash('sha256').update(token).digest('hex')
}
