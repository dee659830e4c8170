import type { AccountQuota } from '../../protocol/accounts.js'
import type { Role } from '../../protocol/roles.js'
import {
  type Account,
  type AccountStore,
  type AccountToCreate,
  accountName,
  type Invitation,
} from '../stores/accounts.js'
import type { JobHistory } from '../stores/history.js'
import type { SessionStore } from '../stores/sessions.js'
import { effectiveQuota } from '../stores/space-quota.js'
import { nullWithoutStorage } from '../stores/storage-fault.js'
import type { Usage } from '../stores/usage.js'
import type { Authentication } from './authentication.js'
import type { Identity } from './identity.js'
import type { Passwords } from './passwords.js'

export interface AdministrationServices {
  accounts: AccountStore
  sessions: Pick<SessionStore, 'lastSeen'>
  usage: Pick<Usage, 'all'>
  history: Pick<JobHistory, 'countUnfinished'>
  /** Of accounts without one of their own, in bytes; null for none. */
  quota: number | null
  passwords: Passwords
  authentication: Pick<Authentication, 'revokeAll'>
  /**
   * Stops every job of the account, including imports and interrupted uploads. `by` is the `role:username` of the
   * requester.
   */
  stopAccountJobs(account: Account, by: string): Promise<void>
  /**
   * Removes the account's files, tables, partials and shares, after its jobs were stopped. Repeating it is not an
   * error.
   */
  removeAccountData(account: Account, by: string): Promise<void>
}

export interface NewAccount {
  username: string
  password: string
  role?: Role | undefined
  name?: string | undefined
  email?: string | undefined
  quota?: AccountQuota | undefined
}

/** What an admin sees of an account. */
export interface ListedAccount {
  account: Account
  /** Its own quota, or that of the server, in bytes; null for none. */
  quotaInForce: number | null
  /** Bytes of its files and tables; null while the storage does not answer. */
  used: number | null
  /** Unfinished jobs. */
  jobs: number
  /** Null if it never logged in. */
  lastSeenAt: string | null
  /** When its invitation expires, or has expired; null if there is none. */
  invitedUntil: string | null
}

/** Administers accounts. */
export class Administration {
  readonly #services: AdministrationServices

  constructor(services: AdministrationServices) {
    this.#services = services
  }

  async list(): Promise<ListedAccount[]> {
    const { accounts, sessions, usage, history } = this.#services
    const [all, used, jobs, seen] = await Promise.all([
      accounts.list(),
      usage.all().catch(nullWithoutStorage),
      history.countUnfinished(),
      sessions.lastSeen(),
    ])
    return all.map((account) => ({
      account,
      quotaInForce: effectiveQuota(account.quota, this.#services.quota),
      used: used && (used.get(accountName(account)) ?? 0),
      jobs: jobs.get(account.id) ?? 0,
      lastSeenAt: seen.get(account.id) ?? null,
      invitedUntil: account.invitation?.expiresAt ?? null,
    }))
  }

  /** Throws `username-taken`. `invitation`: for an account whose owner sets the password, in place of the given one. */
  async create({ password, ...wanted }: NewAccount, invitation: Invitation | null = null): Promise<Account> {
    const passwordHash = await this.#services.passwords.hash(password)
    return this.#services.accounts.create({ ...accountToCreate(wanted, passwordHash), invitation })
  }

  /**
   * A new password revokes the account's invitation, and its sessions except the admin's current one; disabling it also stops its jobs. A new
   * quota counts from the next reservation of space on: what is reserved, and stored, stays. Throws `last-admin`.
   */
  async change(
    account: Account,
    changes: { disabled?: boolean | undefined; password?: string | undefined; quota?: AccountQuota | undefined },
    { account: admin, sessionId }: Pick<Identity, 'account' | 'sessionId'>,
  ): Promise<Account> {
    const { accounts, authentication, passwords } = this.#services
    const { disabled, password, quota } = changes
    const passwordHash = password === undefined ? undefined : await passwords.hash(password)
    const changed = await accounts.update(account.id, {
      ...(disabled === undefined ? {} : { disabled }),
      ...(passwordHash === undefined ? {} : { passwordHash, invitation: null }),
      ...(quota === undefined ? {} : { quota }),
    })
    if (changed.disabled) await this.#end(account, accountName(admin), 'disabled')
    else if (passwordHash)
      await authentication.revokeAll(account.id, accountName(admin), { exceptSessionId: sessionId })
    return changed
  }

  /** Removes the account with all its data. Throws `last-admin`. May be repeated after a failure. */
  async remove(account: Account, by: string): Promise<void> {
    const { accounts, removeAccountData } = this.#services
    // First, so that no new job starts, and so that the last admin is rejected before anything is removed.
    if (!account.disabled) await accounts.update(account.id, { disabled: true })
    await this.#end(account, by, 'removed')
    await removeAccountData(account, by)
    await accounts.remove(account.id)
  }

  async #end(account: Account, by: string, how: 'disabled' | 'removed'): Promise<void> {
    const message = `The account was ${how} by ${by}.`
    await this.#services.authentication.revokeAll(account.id, by, { message })
    await this.#services.stopAccountJobs(account, by)
  }
}

/** The defaults of what an admin gives. */
export function accountToCreate(
  { username, role = 'user', name, email, quota }: Omit<NewAccount, 'password'>,
  passwordHash: string,
): AccountToCreate {
  return { role, username, passwordHash, name: name ?? null, email: email ?? null, quota: quota ?? null }
}
