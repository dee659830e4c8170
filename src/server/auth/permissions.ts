import type { Role } from '../../protocol/accounts.js'
import { requireRole } from './guard.js'
import type { Identity } from './identity.js'

/** Who may do what, beyond what every account may: reading its own files, jobs and sessions. */
export const permissions = {
  upload: ['user', 'ops', 'admin'],
  publish: ['ops'],
  importTables: ['user', 'ops', 'admin'],
  query: ['user', 'ops', 'admin'],
  share: ['user', 'ops', 'admin'],
  readPublished: ['client'],
  manageAccounts: ['admin'],
  seeEveryJob: ['admin'],
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof permissions

/** Throws `not-allowed`. */
export function requirePermission(identity: Pick<Identity, 'account'>, permission: Permission): void {
  requireRole(identity, permissions[permission])
}

export function isAllowed({ account }: Pick<Identity, 'account'>, permission: Permission): boolean {
  return (permissions[permission] as readonly Role[]).includes(account.role)
}
