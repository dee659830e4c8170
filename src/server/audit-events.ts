/** What the audit lines of the log are about, with what each means. docs/deploy.md has the same table. */
export const auditEvents = {
  login: 'a session began',
  'login.refused': 'a wrong password, one after too many, or a disabled account; also when a password is changed',
  signup: 'an account was created by its own user',
  logout: 'a session ended by its own request',
  'session.revoke': 'an account ended one of its sessions',
  'password.change': 'an account changed its password',
  'account.create': 'an admin created an account',
  'account.change': 'an admin disabled or enabled an account, or set its password or quota',
  'account.remove': 'an admin removed an account and all that it had',
  'account.invite': 'an admin made a link that sets the password of an account',
  'invitation.accept': 'such a link was used',
  'file.remove': 'a file, or a folder with all that it held, was removed',
  'file.move': 'a file or folder was renamed or moved',
  'share.create': 'a link to files was made',
  'share.revoke': 'such a link was revoked',
  'request.create': 'a link for uploads was made',
  'request.revoke': 'such a link was revoked',
  'table.change': 'a table was renamed, or its imports were changed',
  'table.remove': 'a table was removed',
  'import.remove': 'an import was removed from its table',
} as const satisfies Record<string, string>

export type AuditEvent = keyof typeof auditEvents

/** Who did it, from where, and what came of it. */
export interface AuditRecord extends Record<string, unknown> {
  /** `role:username`; of a refused login the name that was tried. Null: unknown. */
  account: string | null
  /** By `clientAddress`. */
  address: string
  outcome: 'done' | 'refused'
}
