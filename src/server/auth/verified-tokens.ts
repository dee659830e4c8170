import type { Clock } from '../clock.js'
import type { TokenClaims, Tokens } from './tokens.js'

/**
 * The tokens with those that were verified remembered until they expire, 10,000 at most. Verifying takes a thread of Node's
 * pool, which a stop must not wait for while uploads write. The signature of an equal string stays right, and whether its
 * session is still valid is looked up for each request.
 */
export function rememberVerified(tokens: Tokens, clock: Pick<Clock, 'now'>): Tokens {
  const verified = new Map<string, TokenClaims>()
  return {
    issue: (claims) => tokens.issue(claims),
    async read(token) {
      const known = verified.get(token)
      if (known && known.expiresAt.getTime() > clock.now()) return known
      verified.delete(token)
      const claims = await tokens.read(token)
      if (!claims) return undefined
      const oldest = verified.size < maxVerified ? undefined : verified.keys().next().value
      if (oldest !== undefined) verified.delete(oldest)
      verified.set(token, claims)
      return claims
    },
  }
}

const maxVerified = 10_000
