import type { MiddlewareHandler } from 'hono'
import type { Role } from '../../protocol/accounts.js'
import { Problem } from '../../protocol/problems.js'
import type { Authentication } from './authentication.js'
import type { Identity } from './identity.js'

/** What the guard leaves for the handlers behind it: `c.get('identity')`. */
export interface GuardedEnv {
  Variables: {
    identity: Identity
    /** The token of a cookie that was accepted; a header goes first. */
    pageToken?: string
  }
}

/** The part of `Authentication` that the guard needs. */
export type Identifier = Pick<Authentication, 'identify'>

/** Lets only logged-in accounts pass, and only those of `allowed` roles where it is given. Throws `not-logged-in`, `not-allowed`. */
export function guard(authentication: Identifier, allowed?: readonly Role[]): MiddlewareHandler<GuardedEnv> {
  return async (c, next) => {
    const token = tokenOf((name) => c.req.header(name)) ?? c.get('pageToken')
    if (!token) throw new Problem('not-logged-in', 'Not logged in: the request bears no token. Log in first.')
    const identity = await authentication.identify(token)
    if (allowed) requireRole(identity, allowed)
    c.set('identity', identity)
    await next()
  }
}

/** Throws `not-allowed` unless the account has one of the roles. */
export function requireRole({ account }: Pick<Identity, 'account'>, allowed: readonly Role[]): void {
  if (allowed.includes(account.role)) return
  throw new Problem('not-allowed', `This is for ${allowed.join(' and ')} accounts; yours has the role ${account.role}.`)
}

/** Takes the token from `Authorization: Bearer TOKEN` (RFC 6750 section 2.1), else from the header `auth_token`. */
export function tokenOf(header: (name: string) => string | undefined): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(header('authorization') ?? '')?.[1]
  return bearer ?? (header('auth_token')?.trim() || undefined)
}
