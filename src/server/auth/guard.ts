import { Problem } from '../../protocol/problems.js'
import type { Role } from '../../protocol/roles.js'
import type { Authentication } from './authentication.js'
import type { Identity } from './identity.js'

/** The part of `Authentication` that the guard needs. */
export type Identifier = Pick<Authentication, 'identify'>

/** Returns the identity of the token's owner. Throws `not-logged-in`, and `not-allowed` if the account is disabled. */
export async function admit(token: string | undefined, authentication: Identifier): Promise<Identity> {
  if (!token) throw new Problem('not-logged-in', 'Not logged in: the request has no token. Log in first.')
  return authentication.identify(token)
}

/** Throws `not-allowed`. The roles come from the table of routes. */
export function requireRole(identity: Pick<Identity, 'account'>, roles: readonly Role[]): void {
  if (hasRole(identity, roles)) return
  throw new Problem(
    'not-allowed',
    `This is for ${roles.join(' and ')} accounts; yours has the role ${identity.account.role}.`,
  )
}

export function hasRole({ account }: Pick<Identity, 'account'>, roles: readonly Role[]): boolean {
  return roles.includes(account.role)
}

/** Takes the token from `Authorization: Bearer TOKEN` (RFC 6750 section 2.1), else from the header `auth_token`. */
export function tokenOf(header: (name: string) => string | undefined): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(header('authorization') ?? '')?.[1]
  return bearer ?? (header('auth_token')?.trim() || undefined)
}
