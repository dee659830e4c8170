import type { AccountQuota } from '../../protocol/accounts.js'
import { type Role, roles } from '../../protocol/roles.js'

export interface Account {
  /** Small, increasing, never reused. */
  readonly id: number
  readonly role: Role
  readonly username: string
  readonly passwordHash: string
  readonly name: string | null
  readonly email: string | null
  readonly disabled: boolean
  /** Goes before the quota of the server, which null stands for. */
  readonly quota: AccountQuota
  /** The last one, which may have expired; null if there is none, or it was accepted. */
  readonly invitation: Invitation | null
  readonly createdAt: string
}

/** A link by which the owner of an account sets its password, once. */
export interface Invitation {
  /** SHA-256 of its secret, in hexadecimal digits. */
  readonly digest: string
  readonly expiresAt: string
}

/** What is missing is null. */
export type AccountToCreate = Omit<Account, 'id' | 'createdAt' | 'disabled' | 'quota' | 'invitation'> &
  Partial<Pick<Account, 'quota' | 'invitation'>>

export type AccountUpdate = Partial<Pick<Account, 'passwordHash' | 'disabled' | 'quota' | 'invitation'>>

/** The accounts. Every change is durable when its promise resolves. */
export interface AccountStore {
  /** Usernames are case-insensitive within a role. */
  find(role: Role, username: string): Promise<Account | undefined>
  get(id: number): Promise<Account | undefined>
  list(): Promise<Account[]>
  /** Creates the account atomically. Throws `username-taken` if the role already has that username. */
  create(account: AccountToCreate): Promise<Account>
  /** Throws `account-not-found` if it is missing, and `last-admin` if no enabled admin would be left. */
  update(id: number, changes: AccountUpdate): Promise<Account>
  /**
   * Sets the password and ends the invitation with this digest, in one step: of several calls, one gets the account. Undefined if
   * there is no such invitation. Whether it has expired is the caller's to check.
   */
  acceptInvitation(id: number, digest: string, passwordHash: string): Promise<Account | undefined>
  /** Removing a missing account is not an error. Throws `last-admin` if no enabled admin would be left. */
  remove(id: number): Promise<void>
}

/** `role:username`, the notation for accounts in records and messages. */
export function accountName(account: Pick<Account, 'role' | 'username'>): string {
  return `${account.role}:${account.username}`
}

/** Parses `role:username`. Undefined if it is malformed; whether the account exists is not checked. */
export function parseAccountName(text: string): Pick<Account, 'role' | 'username'> | undefined {
  const [, prefix, username] = /^([a-z]+):(.+)$/.exec(text) ?? []
  const role = roles.find((known) => known === prefix)
  return role && username ? { role, username } : undefined
}
