import { randomUUID } from 'node:crypto'
import { type Role, usernamePattern } from '../../protocol/accounts.js'
import { Problem, type ProblemCode } from '../../protocol/problems.js'
import { type Account, type AccountStore, accountName } from '../stores/accounts.js'
import type { Session, SessionStore } from '../stores/sessions.js'
import type { Identity } from './identity.js'
import { LiveSessions } from './live-sessions.js'
import type { LoginLimiter } from './login-limiter.js'
import type { Passwords } from './passwords.js'
import type { Tokens, TokenUse } from './tokens.js'

export interface AuthenticationServices {
  accounts: AccountStore
  sessions: SessionStore
  passwords: Passwords
  tokens: Tokens
  limiter: LoginLimiter
  /** The roles that anybody may sign up for; empty when signup is closed. */
  signupRoles: readonly Role[]
  sessionTtlMs: number
  /** Hears of every login that is refused because of its password, or of too many. */
  onRefused?: (code: ProblemCode) => void
}

/** Who asks to be let in: the address by `clientAddress`, and the User-Agent. */
export interface Asker {
  address: string
  client: string
}

export interface Credentials {
  role: Role
  username: string
  password: string
}

/** An account that is to be made. */
export interface Registration extends Credentials {
  name?: string | null
  email?: string | null
}

export interface Login {
  account: Account
  token: string
  session: Session
}

/** Lets accounts in and out. Every token is bound to a session that is looked up on each request, so that a logout works at once. */
export class Authentication {
  readonly #services: AuthenticationServices
  readonly #live = new LiveSessions()

  constructor(services: AuthenticationServices) {
    this.#services = services
  }

  /** Whether anybody may make an account of that role. */
  isSignupOpen(role: Role): boolean {
    return this.#services.signupRoles.includes(role)
  }

  /** Makes an account. Throws `not-allowed` for admins and where signup is closed, and `username-taken`. */
  async register({ role, username, password, name, email }: Registration): Promise<Account> {
    const { accounts, passwords } = this.#services
    if (role === 'admin') throw new Problem('not-allowed', 'Nobody signs up as an admin: an admin makes the account.')
    if (!this.isSignupOpen(role)) {
      throw new Problem('not-allowed', `Signup is closed for the role ${role}: ask an admin for an account.`)
    }
    if (await accounts.find(role, username)) {
      throw new Problem('username-taken', `The username ${username} is taken.`, { field: 'username' })
    }
    const passwordHash = await passwords.hash(password)
    return accounts.create({ role, username, passwordHash, name: name ?? null, email: email ?? null })
  }

  /**
   * Makes the account, or logs in where it exists and the password fits. The username and the password are validated before.
   * Throws `not-allowed` for admins, `username-taken`, `invalid-credentials` where signup is closed, `too-many-attempts`, `busy`.
   */
  async signUp(wanted: Registration, asker: Asker): Promise<Login & { created: boolean }> {
    const { role, username } = wanted
    if (role !== 'admin' && !this.isSignupOpen(role)) {
      const closed = `The username or the password is wrong, and signup is closed for the role ${role}.`
      return { created: false, ...(await this.#logIn(wanted, asker, new Problem('invalid-credentials', closed))) }
    }
    const account = await this.register(wanted).catch(undefinedIfTaken)
    if (account) return { created: true, ...(await this.#begin(account, asker)) }
    const taken = `The username ${username} is taken, and this is not its password.`
    const problem = new Problem('username-taken', taken, { field: 'username' })
    return { created: false, ...(await this.#logIn(wanted, asker, problem)) }
  }

  /**
   * Throws `invalid-credentials` alike, and as slowly, for an unknown account and a wrong password; `not-allowed` when it is
   * disabled. The session lives for `ttlMs` where that is shorter than usual.
   */
  async logIn(credentials: Credentials, asker: Asker, ttlMs?: number): Promise<Login> {
    const wrong = new Problem('invalid-credentials', 'The username or the password is wrong.')
    return this.#logIn(credentials, asker, wrong, ttlMs)
  }

  /** Finds who bears the token. Throws `not-logged-in`, whatever is wrong with it, also where it is for another use. */
  async identify(token: string, use: TokenUse = 'access'): Promise<Identity> {
    const { accounts, sessions, tokens } = this.#services
    const claims = await tokens.read(token)
    if (claims?.use !== use) throw notLoggedIn()
    // Before the session is looked up, so that one revoked from here on aborts this very signal.
    const revoked = this.#live.signal(claims.sessionId, claims.accountId, claims.expiresAt)
    const session = await sessions.find(claims.sessionId)
    if (!session) this.#live.forget(claims.sessionId)
    const account = await accounts.get(claims.accountId)
    if (session?.accountId !== account?.id || account?.role !== claims.role || revoked.aborted) throw notLoggedIn()
    if (!session || !account || account.disabled) throw notLoggedIn()
    sessions.touch(session.id, new Date().toISOString())
    return { account, sessionId: session.id, revoked }
  }

  /** Ends the identity's own session. */
  async logOut(identity: Identity): Promise<void> {
    await this.#end([identity.sessionId], accountName(identity.account), 'The session was logged out.')
  }

  async sessions(account: Account): Promise<Session[]> {
    return this.#services.sessions.list(account.id)
  }

  /** Ends a session of the account. Throws `session-not-found` for a missing one and for someone else's. */
  async revokeSession(account: Account, sessionId: string): Promise<void> {
    const session = await this.#services.sessions.find(sessionId)
    if (session?.accountId !== account.id) throw new Problem('session-not-found', 'You have no such session.')
    await this.#end([sessionId], accountName(account), `The session was revoked by ${accountName(account)}.`)
  }

  /** Ends all sessions of an account but the given one, and what runs by them. `by` is the `role:username` of who wants it. */
  async revokeAll(accountId: number, by: string, exceptSessionId?: string): Promise<void> {
    const message = `The session was revoked by ${by}.`
    const ids = (await this.#services.sessions.list(accountId)).map(({ id }) => id)
    try {
      await this.#services.sessions.remove(ids.filter((id) => id !== exceptSessionId))
    } finally {
      this.#live.endAll(accountId, by, message, exceptSessionId)
    }
  }

  /** Throws `invalid-credentials` when `current` is wrong, which counts as a wrong login. Other sessions end. */
  async changePassword(identity: Identity, current: string, wanted: string, asker: Asker): Promise<void> {
    const { accounts, passwords } = this.#services
    const { account, sessionId } = identity
    const wrong = new Problem('invalid-credentials', 'The current password is wrong.', { field: 'current' })
    await this.#check({ ...account, password: current }, asker, wrong)
    await accounts.update(account.id, { passwordHash: await passwords.hash(wanted) })
    await this.revokeAll(account.id, accountName(account), sessionId)
  }

  async #logIn(credentials: Credentials, asker: Asker, refusal: Problem, ttlMs?: number): Promise<Login> {
    return this.#begin(await this.#check(credentials, asker, refusal), asker, ttlMs)
  }

  /** Finds the account whose password this is. Throws `refusal` otherwise. */
  async #check({ role, username, password }: Credentials, asker: Asker, refusal: Problem): Promise<Account> {
    const { accounts, limiter, passwords } = this.#services
    // What cannot be a username is one name to the limiter, however long and whatever it is.
    const name = usernamePattern.test(username) ? username.toLowerCase() : ''
    const checked = limiter.check(asker.address, `${role}:${name}`, async () => {
      const known = await accounts.find(role, username)
      const fits = await (known ? passwords.verify(password, known.passwordHash) : passwords.verifyUnknown(password))
      return { wrong: !fits, result: fits ? known : undefined }
    })
    const account = await checked.catch((error: unknown) => {
      if (error instanceof Problem) this.#services.onRefused?.(error.code)
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

  async #begin(account: Account, asker: Asker, ttlMs = Number.POSITIVE_INFINITY): Promise<Login> {
    const { accounts, sessions, tokens, sessionTtlMs } = this.#services
    const now = Date.now()
    const session: Session = {
      id: randomUUID(),
      accountId: account.id,
      client: asker.client.slice(0, 200),
      createdAt: new Date(now).toISOString(),
      lastUsedAt: new Date(now).toISOString(),
      expiresAt: new Date(now + Math.min(sessionTtlMs, ttlMs)).toISOString(),
    }
    const { removed } = await sessions.create(session)
    for (const { id } of removed) this.#live.end(id, accountName(account), 'The session gave way to newer ones.')
    // While the password was checked, it may have been changed, or the account disabled: those ended only the sessions of then.
    const still = await accounts.get(account.id)
    if (!still || still.disabled || still.passwordHash !== account.passwordHash) {
      await sessions.remove([session.id])
      throw new Problem('invalid-credentials', 'The account was changed meanwhile: log in again.')
    }
    const claims = {
      accountId: account.id,
      role: account.role,
      sessionId: session.id,
      expiresAt: new Date(session.expiresAt),
      use: 'access' as const,
    }
    return { account, session, token: await tokens.issue(claims) }
  }

  async #end(sessionIds: string[], by: string, message: string): Promise<void> {
    try {
      await this.#services.sessions.remove(sessionIds)
    } finally {
      for (const id of sessionIds) this.#live.end(id, by, message)
    }
  }
}

function notLoggedIn(): Problem {
  return new Problem(
    'not-logged-in',
    'Not logged in: the token is missing, expired or revoked. Log in and use the new one.',
  )
}

/** Of two that sign up at once, the second goes on as if the account had been there. */
function undefinedIfTaken(error: unknown): undefined {
  if (error instanceof Problem && error.code === 'username-taken') return undefined
  throw error
}
