import { randomUUID } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import { type Role, roles, signupRoles } from '../../protocol/roles.js'
import type { Clock } from '../clock.js'
import type { Budget } from '../concurrency/budget.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { LimitCount } from '../stores/bus.js'
import type { SessionStore, StoredSession } from '../stores/sessions.js'
import type { Identity } from './identity.js'
import { type EndedSessions, LiveSessions } from './live-sessions.js'
import { networkOf } from './networks.js'
import { type Credentials, PasswordCheck, type PasswordCheckServices, type Requester } from './password-check.js'
import { accountDisabled, refusedToken } from './refused-tokens.js'
import type { Tokens, TokenUse } from './tokens.js'

export interface AuthenticationServices extends PasswordCheckServices {
  clock: Clock
  sessions: SessionStore
  tokens: Tokens
  /** Signups by network. */
  signups: Budget
  /** The roles open for signup; empty if signup is closed. */
  signupRoles: readonly Role[]
  sessionTtlMs: number
  /** Called when a session begins, and after a signup. Default: ignored. */
  onLogin?: (event: 'login' | 'signup', account: Account, requester: Requester) => void
  /** Called with the sessions that have ended here. Default: ignored. */
  onEnded?: (ended: EndedSessions) => void
}

/** A new account. */
export interface Registration extends Credentials {
  name?: string | null
  email?: string | null
}

export interface SessionOptions {
  /** The lifetime of the session, if shorter than the default. */
  ttlMs?: number
  /** The id of its first refresh token, if these rotate. */
  refreshId?: string
}

export interface RevocationOptions {
  /** A session that stays. */
  exceptSessionId?: string
  /** Why, in a sentence. Default: that it was revoked, and by whom. */
  message?: string
}

export interface Login {
  account: Account
  token: string
  session: StoredSession
}

/** Logs accounts in and out. Every token is bound to a session that is looked up on each request, so that a logout takes effect at once. */
export class Authentication {
  readonly #services: AuthenticationServices
  readonly #live: LiveSessions
  readonly #passwordCheck: PasswordCheck

  constructor(services: AuthenticationServices) {
    this.#services = services
    this.#live = new LiveSessions(services.clock)
    this.#passwordCheck = new PasswordCheck(services)
  }

  /** Whether signup is open for that role. */
  isSignupOpen(role: Role): boolean {
    return this.#services.signupRoles.includes(role)
  }

  /** Throws `not-allowed` for admins and if signup is closed, `username-taken`, `too-many-requests` and `busy`. */
  async register({ role, username, password, name, email }: Registration, requester: Requester): Promise<Account> {
    const { accounts, passwords, signups } = this.#services
    if (!signupRoles.includes(role))
      throw new Problem('not-allowed', 'Admins cannot sign up: another admin creates the account.')
    if (!this.isSignupOpen(role)) {
      throw new Problem('not-allowed', `Signup is closed for the role ${role}: ask an admin for an account.`)
    }
    if (await accounts.find(role, username)) {
      throw new Problem('username-taken', `The username ${username} is taken.`, { field: 'username' })
    }
    if (username.toLowerCase() === reservedUsername) {
      const reserved = `The username ${reservedUsername} is reserved: choose another one.`
      throw new Problem('username-taken', reserved, { field: 'username' })
    }
    const network = networkOf(requester.address)
    signups.spend(network)
    // All signups of a network share one queue, whatever names they choose.
    const passwordHash = await passwords.hash(password, { key: [network, 'signup'], signal: requester.signal })
    const account = await accounts.create({ role, username, passwordHash, name: name ?? null, email: email ?? null })
    this.#services.onLogin?.('signup', account, requester)
    return account
  }

  /**
   * Creates the account, or logs in if it exists and the password is correct. Throws like `register` and `logIn`,
   * and `invalid-credentials` if signup is closed.
   */
  async signUp(wanted: Registration, requester: Requester): Promise<Login & { created: boolean }> {
    const { role, username } = wanted
    if (signupRoles.includes(role) && !this.isSignupOpen(role)) {
      const closed = `The username or the password is wrong, and signup is closed for the role ${role}.`
      return { created: false, ...(await this.#logIn(wanted, requester, new Problem('invalid-credentials', closed))) }
    }
    const account = await this.register(wanted, requester).catch(undefinedIfTaken)
    if (account) return { created: true, ...((await this.#begin(account, requester)) ?? changedMeanwhile()) }
    const taken = `The username ${username} is taken, and this is not its password.`
    const problem = new Problem('username-taken', taken, { field: 'username' })
    return { created: false, ...(await this.#logIn(wanted, requester, problem)) }
  }

  /** Throws `invalid-credentials` for an unknown account as for a wrong password, in the same time; `not-allowed` if the account is disabled. */
  async logIn(credentials: Credentials, requester: Requester, options?: SessionOptions): Promise<Login> {
    const wrong = new Problem('invalid-credentials', 'The username or the password is wrong.')
    return this.#logIn(credentials, requester, wrong, options)
  }

  /**
   * Logs in to the account of whatever role that has this name and password. Throws like `logIn`, and `role-required` with the `roles`
   * of the accounts if there are several.
   */
  async logInToAnyRole({ username, password }: Omit<Credentials, 'role'>, requester: Requester): Promise<Login> {
    const wrong = new Problem('invalid-credentials', 'The username or the password is wrong.')
    return this.#logInTo(requester, async () => {
      const fitting = await this.#passwordCheck.accountsOf({ roles, username, password }, requester, wrong)
      const [account, ...others] = fitting
      if (account && others.length === 0) return account
      const message = `Several accounts have the name ${username} and this password: send the role of one.`
      throw new Problem('role-required', message, { roles: fitting.map(({ role }) => role) })
    })
  }

  /** Identifies the owner of a token. Throws `not-logged-in`, whatever is wrong with it, also for a token of another use. */
  async identify(token: string, use: TokenUse = 'access'): Promise<Identity> {
    const { accounts, sessions, tokens, clock } = this.#services
    const claims = await tokens.read(token)
    if (claims?.use !== use) throw refusedToken()
    // Before the session is looked up, so that a later revocation aborts this very signal.
    const revoked = this.#live.signal(claims.sessionId, claims.accountId, claims.expiresAt)
    const session = await sessions.find(claims.sessionId)
    if (!session) this.#live.forget(claims.sessionId)
    const account = await accounts.get(claims.accountId)
    if (account?.disabled && account.role === claims.role) throw accountDisabled(account)
    if (session?.accountId !== account?.id || account?.role !== claims.role || revoked.aborted) throw refusedToken()
    if (!session || !account) throw refusedToken()
    sessions.touch(session.id, new Date(clock.now()).toISOString())
    return { account, sessionId: session.id, revoked }
  }

  /** Revokes the identity's own session. */
  async logOut(identity: Identity, message = 'The session was logged out.'): Promise<void> {
    await this.#end([identity.sessionId], accountName(identity.account), message)
  }

  async sessions(account: Account): Promise<StoredSession[]> {
    return this.#services.sessions.list(account.id)
  }

  /** Revokes a session of the account. Throws `session-not-found` for a missing session and for one of another account. */
  async revokeSession(account: Account, sessionId: string): Promise<void> {
    const session = await this.#services.sessions.find(sessionId)
    if (session?.accountId !== account.id) throw new Problem('session-not-found', 'You have no such session.')
    await this.#end([sessionId], accountName(account), `The session was revoked by ${accountName(account)}.`)
  }

  /** Revokes all sessions of an account except the given one, and stops their work. `by` is the `role:username` of the requester. */
  async revokeAll(
    accountId: number,
    by: string,
    { exceptSessionId, message = `The session was revoked by ${by}.` }: RevocationOptions = {},
  ): Promise<void> {
    const ids = (await this.#services.sessions.list(accountId)).map(({ id }) => id)
    try {
      await this.#services.sessions.remove(ids.filter((id) => id !== exceptSessionId))
    } finally {
      this.#tellEnd({ accountId, exceptSession: exceptSessionId, by, message })
    }
  }

  /** Throws `invalid-credentials` if `current` is wrong, which counts as a failed login. Other sessions are revoked. */
  async changePassword(identity: Identity, current: string, wanted: string, requester: Requester): Promise<void> {
    const { accounts, passwords } = this.#services
    const { account, sessionId } = identity
    const wrong = new Problem('invalid-credentials', 'The current password is wrong.', { field: 'current' })
    await this.#passwordCheck.accountOf({ ...account, password: current }, requester, wrong)
    const key = [networkOf(requester.address), accountName(account)]
    const passwordHash = await passwords.hash(wanted, { key, signal: requester.signal })
    await accounts.update(account.id, { passwordHash, invitation: null })
    await this.revokeAll(account.id, accountName(account), { exceptSessionId: sessionId })
  }

  /** Ends the work of sessions that have ended on another server. */
  endElsewhere(ended: EndedSessions): void {
    this.#live.end(ended)
  }

  /** Counts what another server has counted towards the limits of logins and signups. */
  learn(count: LimitCount): void {
    const { limiter, signups } = this.#services
    if (count.limit === 'signup') signups.learn(count.key, count.amount)
    else limiter.learn(count)
  }

  /** Ends the work of sessions that no longer exist: their end may have been missed. */
  async checkSessions(): Promise<void> {
    const { accounts, sessions } = this.#services
    for (const { id, accountId } of this.#live.unexpired()) {
      if (await sessions.find(id)) continue
      const account = await accounts.get(accountId)
      const by = account ? accountName(account) : 'a removed account'
      this.#live.end({ sessions: [id], by, message: 'The session was revoked.' })
    }
  }

  async #logIn(
    credentials: Credentials,
    requester: Requester,
    refusal: Problem,
    options?: SessionOptions,
  ): Promise<Login> {
    const find = () => this.#passwordCheck.accountOf(credentials, requester, refusal)
    return this.#logInTo(requester, find, options)
  }

  async #logInTo(requester: Requester, find: () => Promise<Account>, options?: SessionOptions): Promise<Login> {
    for (let attempt = 1; attempt <= 2; attempt++) {
      const account = await find()
      const login = await this.#begin(account, requester, options)
      if (login) return login
      // Another login may have renewed the hash meanwhile: check the password against the new one.
    }
    return changedMeanwhile()
  }

  /** Opens a session; undefined if the password has changed or the account was disabled meanwhile. */
  async #begin(account: Account, requester: Requester, options: SessionOptions = {}): Promise<Login | undefined> {
    const { accounts, sessions, tokens, sessionTtlMs, clock } = this.#services
    const { ttlMs = Number.POSITIVE_INFINITY, refreshId } = options
    const now = clock.now()
    const session: StoredSession = {
      id: randomUUID(),
      accountId: account.id,
      client: requester.client.slice(0, 200),
      createdAt: new Date(now).toISOString(),
      lastUsedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + Math.min(sessionTtlMs, ttlMs)).toISOString(),
      ...(refreshId === undefined ? {} : { refreshId }),
    }
    const { removed } = await sessions.create(session)
    const [by, message] = [accountName(account), 'The session gave way to newer ones.']
    if (removed.length > 0) this.#tellEnd({ sessions: removed.map(({ id }) => id), by, message })
    // A new password, or disabling the account, during the check revoked only the sessions of that moment.
    const still = await accounts.get(account.id)
    if (!still || still.disabled || still.passwordHash !== account.passwordHash) {
      await sessions.remove([session.id])
      return undefined
    }
    const claims = {
      accountId: account.id,
      role: account.role,
      sessionId: session.id,
      expiresAt: new Date(session.expiresAt),
      use: 'access' as const,
    }
    this.#services.onLogin?.('login', account, requester)
    return { account, session, token: await tokens.issue(claims) }
  }

  async #end(sessionIds: string[], by: string, message: string): Promise<void> {
    try {
      await this.#services.sessions.remove(sessionIds)
    } finally {
      this.#tellEnd({ sessions: sessionIds, by, message })
    }
  }

  #tellEnd(ended: EndedSessions): void {
    this.#live.end(ended)
    this.#services.onEnded?.(ended)
  }
}

/** An account with this name in any role could be mistaken for the administrator. */
const reservedUsername = 'admin'

function changedMeanwhile(): never {
  throw new Problem('invalid-credentials', 'The account was changed meanwhile: log in again.')
}

/** Of two concurrent signups with one name, the second is answered as if the account had existed. */
function undefinedIfTaken(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'username-taken') return undefined
  throw error
}
