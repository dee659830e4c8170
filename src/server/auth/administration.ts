import type { Role } from '../../protocol/accounts.js'
import { type Account, type AccountStore, accountName } from '../stores/accounts.js'
import type { Authentication } from './authentication.js'
import type { Identity } from './identity.js'
import type { Passwords } from './passwords.js'

export interface AdministrationServices {
  accounts: AccountStore
  passwords: Passwords
  authentication: Pick<Authentication, 'revokeAll'>
  /** Stops every job of the account, imports and interrupted uploads too. `by` is the `role:username` of who wants it. */
  stopAccountJobs(account: Account, by: string): Promise<void>
  /** Removes the account's files, tables, partials and shares. Its jobs are stopped before. Repeating it is not an error. */
  removeAccountData(account: Account, by: string): Promise<void>
}

export interface NewAccount {
  username: string
  password: string
  role?: Role | undefined
  name?: string | undefined
  email?: string | undefined
}

/** What an admin does to accounts. */
export class Administration {
  readonly #services: AdministrationServices

  constructor(services: AdministrationServices) {
    this.#services = services
  }

  list(): Promise<Account[]> {
    return this.#services.accounts.list()
  }

  /** Throws `username-taken`. */
  async create({ username, password, role = 'user', name, email }: NewAccount): Promise<Account> {
    const passwordHash = await this.#services.passwords.hash(password)
    return this.#services.accounts.create({ role, username, passwordHash, name: name ?? null, email: email ?? null })
  }

  /**
   * A new password ends the account's sessions, except the admin's own that asks; disabling it ends all that it does.
   * Throws `last-admin`.
   */
  async change(
    account: Account,
    changes: { disabled?: boolean | undefined; password?: string | undefined },
    { account: admin, sessionId }: Pick<Identity, 'account' | 'sessionId'>,
  ): Promise<Account> {
    const { accounts, authentication, passwords } = this.#services
    const { disabled, password } = changes
    const passwordHash = password === undefined ? undefined : await passwords.hash(password)
    const changed = await accounts.update(account.id, {
      ...(disabled === undefined ? {} : { disabled }),
      ...(passwordHash === undefined ? {} : { passwordHash }),
    })
    if (changed.disabled) await this.#end(account, accountName(admin))
    else if (passwordHash) await authentication.revokeAll(account.id, accountName(admin), sessionId)
    return changed
  }

  /** Removes the account with everything it has. Throws `last-admin`. One that was broken off may be repeated. */
  async remove(account: Account, by: string): Promise<void> {
    const { accounts, removeAccountData } = this.#services
    // First, so that nothing new begins, and so that the last admin is refused before anything is gone.
    if (!account.disabled) await accounts.update(account.id, { disabled: true })
    await this.#end(account, by)
    await removeAccountData(account, by)
    await accounts.remove(account.id)
  }

  async #end(account: Account, by: string): Promise<void> {
    await this.#services.authentication.revokeAll(account.id, by)
    await this.#services.stopAccountJobs(account, by)
  }
}
