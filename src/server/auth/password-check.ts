import { usernamePattern } from '../../protocol/accounts.js'
import { Problem, type ProblemCode } from '../../protocol/problems.js'
import type { Role } from '../../protocol/roles.js'
import type { SemaphoreKey } from '../concurrency/semaphore.js'
import { type Account, type AccountStore, accountName } from '../stores/accounts.js'
import type { LoginLimiter } from './login-limiter.js'
import type { Passwords } from './passwords.js'

export interface PasswordCheckServices {
  accounts: AccountStore
  passwords: Passwords
  limiter: LoginLimiter
  /**
   * Called for every login that is rejected because of its password, the rate limit or a disabled account, with the
   * `role:username` that were tried.
   */
  onRefused?: (code: ProblemCode, requester: Requester, tried: readonly string[]) => void
  /** Called if a hash could not be renewed at a login, which succeeds anyway. */
  onRenewalFailed?: (error: unknown) => void
}

/** The client: its address by `clientAddress`, and its User-Agent. */
export interface Requester {
  address: string
  client: string
  /** Aborted when the client disconnects. */
  signal?: AbortSignal
}

export interface Credentials {
  role: Role
  username: string
  password: string
}

/** A name and a password without a role: accounts of any of `roles` are meant. */
export interface CredentialsOfRoles extends Omit<Credentials, 'role'> {
  roles: readonly Role[]
}

/** Checks passwords in fair shares of addresses and accounts, in the same time for every name, and renews outdated hashes. */
export class PasswordCheck {
  readonly #services: PasswordCheckServices
  /** Accounts whose hash is being renewed. */
  readonly #renewing = new Set<number>()

  constructor(services: PasswordCheckServices) {
    this.#services = services
  }

  /**
   * Finds the account with this password. Throws `refusal` otherwise, `not-allowed` if the account is disabled, and
   * what `LoginLimiter.check` throws.
   */
  async accountOf({ role, username, password }: Credentials, requester: Requester, refusal: Problem): Promise<Account> {
    const [account] = await this.accountsOf({ roles: [role], username, password }, requester, refusal)
    return account!
  }

  /**
   * Finds the accounts with this name and password among those of the roles, at least one. There are as many checks as roles, whichever
   * accounts exist. Throws like `accountOf`, and `not-allowed` only if all of them are disabled.
   */
  async accountsOf({ roles, username, password }: CredentialsOfRoles, requester: Requester, refusal: Problem) {
    const { accounts, limiter, passwords } = this.#services
    // All invalid usernames share one key of the limiter, however long they are.
    const name = usernamePattern.test(username) ? username.toLowerCase() : ''
    const tried = roles.map((role) => `${role}:${name}`)
    const { signal } = requester
    const checked = limiter.checkAll({ ...requester, accounts: tried }, async (key) => {
      const known = await Promise.all(roles.map((role) => accounts.find(role, username)))
      const cost = passwords.highestCost((await accounts.list()).map(({ passwordHash }) => passwordHash))
      const fits = await Promise.all(
        known.map((account) => passwords.verify(password, account?.passwordHash ?? null, { key, signal, cost })),
      )
      const right = known.flatMap((account, index) => (account && fits[index] ? [account] : []))
      return {
        right: tried.filter((_, index) => fits[index]),
        result: await Promise.all(right.map((account) => this.#renew(account, password, key))),
      }
    })
    const found = await checked.catch((error: unknown) => {
      if (error instanceof Problem && error.code !== 'client-left') {
        this.#services.onRefused?.(error.code, requester, tried)
      }
      throw error
    })
    if (found.length === 0) {
      this.#services.onRefused?.('invalid-credentials', requester, tried)
      throw refusal
    }
    const enabled = found.filter(({ disabled }) => !disabled)
    if (enabled.length > 0) return enabled
    this.#services.onRefused?.('not-allowed', requester, found.map(accountName))
    throw new Problem('not-allowed', `The account ${accountName(found[0]!)} is disabled: ask an admin.`)
  }

  /** Replaces a hash of an outdated cost. A failure does not fail the login. */
  async #renew(account: Account, password: string, key: SemaphoreKey): Promise<Account> {
    const { accounts, passwords, onRenewalFailed } = this.#services
    const { id, passwordHash: outdated } = account
    if (!passwords.isOutdated(outdated) || this.#renewing.has(id)) return account
    this.#renewing.add(id)
    try {
      const passwordHash = await passwords.hash(password, { key })
      // Keep a password that was changed meanwhile.
      return (await accounts.get(id))?.passwordHash === outdated ? await accounts.update(id, { passwordHash }) : account
    } catch (error) {
      onRenewalFailed?.(error)
      return account
    } finally {
      this.#renewing.delete(id)
    }
  }
}
