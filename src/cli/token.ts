import { createHash } from 'node:crypto'
import { parseObject } from './settings.js'

/**
 * Tells accounts apart by their tokens, without asking the server: by the role and the id that a token is for, which stay
 * the same over logins. A token that says neither stands for itself, as a digest. Nothing is trusted by this.
 */
export function accountKey(token: string): string {
  const payload = parseObject(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
  if (typeof payload?.sub === 'string' && typeof payload.aud === 'string') return `${payload.aud}:${payload.sub}`
  return createHash('sha256').update(token).digest('hex')
}
