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
  /** Called for every login that is rejected because of its password or the rate limit. */
  onRefused?: (code: ProblemCode) => void
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
    const { accounts, limiter, passwords } = this.#services
    // All invalid usernames share one key of the limiter, however long they are.
    const name = usernamePattern.test(username) ? username.toLowerCase() : ''
    const { address, client, signal } = requester
    const checked = limiter.check({ address, account: `${role}:${name}`, client, signal }, async (key) => {
      const known = await accounts.find(role, username)
      const cost = passwords.highestCost((await accounts.list()).map(({ passwordHash }) => passwordHash))
      const fits = await passwords.verify(password, known?.passwordHash ?? null, { key, signal, cost })
      return { wrong: !fits, result: known && fits ? await this.#renew(known, password, key) : undefined }
    })
    const account = await checked.catch((error: unknown) => {
      if (error instanceof Problem && error.code !== 'client-left') this.#services.onRefused?.(error.code)
      throw error
    })
    if (!account) {
      this.#services.onRefused?.('invalid-credentials')
      throw refusal
    }
    if (account.disabled)
      throw new Problem('not-allowed', `The account ${accountName(account)} is disabled: ask an admin.`)
    return account
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
