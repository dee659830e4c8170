import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { JOSEError } from 'jose/errors'
import { type Role, roles } from '../../protocol/roles.js'
import type { Clock } from '../clock.js'

/** The claims of a token: the session that it belongs to. Without that session it is not valid. */
export interface TokenClaims {
  accountId: number
  role: Role
  sessionId: string
  expiresAt: Date
  /** `access` opens the routes; `refresh` only gets the next access token. */
  use: TokenUse
  /** The id of one token of a pair. */
  tokenId?: string | undefined
}

export type TokenUse = 'access' | 'refresh'

/**
 * Signs and verifies JSON Web Tokens (RFC 7519) with HS256: claims iss, sub, aud (the role), sid and exp; those of
 * pairs also token_type, jti and user_id.
 */
export interface Tokens {
  issue(claims: TokenClaims): Promise<string>
  /** Undefined for a token that is expired, altered, unsigned, or signed with another key or algorithm. */
  read(token: string): Promise<TokenClaims | undefined>
}

export async function openTokens(secret: Uint8Array, clock: Clock): Promise<Tokens> {
  // Imported once: from bytes, jose would import it for each token.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  return {
    issue({ accountId, role, sessionId, expiresAt, use, tokenId }) {
      const ofPair = tokenId === undefined ? {} : { token_type: use, jti: tokenId, user_id: accountId }
      return new SignJWT({ sid: sessionId, ...ofPair })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(String(accountId))
        .setAudience(role)
        .setExpirationTime(expiresAt)
        .sign(key)
    },
    async read(token) {
      try {
        // The server chooses the algorithm, not the token: RFC 8725 section 3.1.
        const { payload } = await jwtVerify(token, key, {
          issuer,
          algorithms: ['HS256'],
          currentDate: new Date(clock.now()),
          requiredClaims: ['exp', 'sub'],
        })
        return parseClaims(payload)
      } catch (error) {
        if (error instanceof JOSEError) return undefined
        throw error
      }
    },
  }
}

const issuer = 'filejobs'

function parseClaims({ sub, aud, sid, exp, token_type, jti }: JWTPayload): TokenClaims | undefined {
  const role = roles.find((known) => known === aud)
  if (!role || !sub || !/^\d+$/.test(sub) || typeof sid !== 'string' || exp === undefined) return undefined
  const use = token_type === 'refresh' ? 'refresh' : 'access'
  return { accountId: Number(sub), role, sessionId: sid, expiresAt: new Date(exp * 1000), use, tokenId: jti }
}
