import { type Role, roles } from '../../protocol/accounts.js'

export interface Account {
  /** Small, counts up, never given to anyone else. */
  readonly id: number
  readonly role: Role
  readonly username: string
  readonly passwordHash: string
  readonly name: string | null
  readonly email: string | null
  readonly disabled: boolean
  readonly createdAt: string
}

/** The accounts. Every change is durable when its promise resolves. */
export interface AccountStore {
  /** Usernames compare regardless of case within a role. */
  find(role: Role, username: string): Promise<Account | undefined>
  get(id: number): Promise<Account | undefined>
  list(): Promise<Account[]>
  /** Creates the account in one step. Throws `username-taken` when the role has that username already. */
  create(account: Omit<Account, 'id' | 'createdAt' | 'disabled'>): Promise<Account>
  /** Throws `account-not-found` when it is missing, and `last-admin` when no enabled admin would be left. */
  update(id: number, changes: Partial<Pick<Account, 'passwordHash' | 'disabled'>>): Promise<Account>
  /** Removing a missing account is not an error. Throws `last-admin` when no enabled admin would be left. */
  remove(id: number): Promise<void>
}

/** `role:username`, as people and records name an account. */
export function accountName(account: Pick<Account, 'role' | 'username'>): string {
  return `${account.role}:${account.username}`
}

/** Reads `role:username`. Undefined where it is not of that form; whether the account exists is the store's to say. */
export function parseAccountName(text: string): Pick<Account, 'role' | 'username'> | undefined {
  const [, prefix, username] = /^([a-z]+):(.+)$/.exec(text) ?? []
  const role = roles.find((known) => known === prefix)
  return role && username ? { role, username } : undefined
}
