import { type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { JOSEError } from 'jose/errors'
import { type Role, roles } from '../../protocol/accounts.js'

/** What a token says: whose session it bears. It is worth nothing without that session. */
export interface TokenClaims {
  accountId: number
  role: Role
  sessionId: string
  expiresAt: Date
  /** `access` opens the routes; `refresh` does nothing but fetch the next access token. */
  use: TokenUse
}

export type TokenUse = 'access' | 'refresh'

/** Signs and reads JSON Web Tokens (RFC 7519) with HS256: claims iss, sub, aud (the role), sid and exp. */
export interface Tokens {
  issue(claims: TokenClaims): Promise<string>
  /** Undefined for a token that is expired, altered, unsigned, or signed by someone else or in another way. */
  read(token: string): Promise<TokenClaims | undefined>
}

export async function openTokens(secret: Uint8Array): Promise<Tokens> {
  // Imported once: given the bytes, jose would do so for each token.
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
  return {
    issue({ accountId, role, sessionId, expiresAt, use }) {
      return new SignJWT({ sid: sessionId, ...(use === 'refresh' ? { token_type: use } : {}) })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(String(accountId))
        .setAudience(role)
        .setExpirationTime(expiresAt)
        .sign(key)
    },
    async read(token) {
      try {
        // The algorithm is ours to say, not the token's: RFC 8725 section 3.1.
        const { payload } = await jwtVerify(token, key, {
          issuer,
          algorithms: ['HS256'],
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

function parseClaims({ sub, aud, sid, exp, token_type }: JWTPayload): TokenClaims | undefined {
  const role = roles.find((known) => known === aud)
  if (!role || !sub || !/^\d+$/.test(sub) || typeof sid !== 'string' || exp === undefined) return undefined
  const use = token_type === 'refresh' ? 'refresh' : 'access'
  return { accountId: Number(sub), role, sessionId: sid, expiresAt: new Date(exp * 1000), use }
}
