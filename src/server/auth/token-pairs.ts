import { randomUUID } from 'node:crypto'
import { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import { type Account, accountName } from '../stores/accounts.js'
import type { SessionStore } from '../stores/sessions.js'
import type { Authentication } from './authentication.js'
import type { Identity } from './identity.js'
import type { Credentials, Requester } from './password-check.js'
import type { TokenClaims, Tokens } from './tokens.js'

export interface PairToken {
  token: string
  expiresAt: Date
}

export interface TokenPair {
  account: Account
  access: PairToken
  /** Gets the next access token; grants no other access. */
  refresh: PairToken
}

export interface TokenPairServices {
  clock: Clock
  authentication: Pick<Authentication, 'logIn' | 'identify' | 'logOut'>
  sessions: Pick<SessionStore, 'find' | 'rotate'>
  tokens: Tokens
}

/** Logins with two tokens, so that the token in every request is short-lived. */
export class TokenPairs {
  readonly #services: TokenPairServices

  constructor(services: TokenPairServices) {
    this.#services = services
  }

  /**
   * Like `Authentication.logIn`, with a session of a day at most. A rotating refresh token is valid once, for `rotate`;
   * another one as long as the session, for `refresh`.
   */
  async logIn(credentials: Credentials, requester: Requester, { rotates }: { rotates: boolean }): Promise<TokenPair> {
    const refreshId = randomUUID()
    const options = { ttlMs: refreshTtlMs, ...(rotates ? { refreshId } : {}) }
    const { account, session } = await this.#services.authentication.logIn(credentials, requester, options)
    return this.#issuePair(account, session.id, new Date(session.expiresAt), refreshId)
  }

  /** The next access token. Throws `not-logged-in` for anything but a refresh token that does not rotate. */
  async refresh(token: string): Promise<PairToken> {
    const { identity, claims, refreshId } = await this.#read(token)
    if (refreshId !== undefined) throw notAccepted()
    return this.#issueAccess(identity.account, identity.sessionId, claims.expiresAt)
  }

  /**
   * The next pair; invalidates the given refresh token. Throws `not-logged-in` for anything but a rotating refresh
   * token. RFC 9700 section 4.14.2: a refresh token that is used twice was stolen, from the client or by it, so the
   * session is revoked.
   */
  async rotate(token: string): Promise<TokenPair> {
    const { identity, claims, refreshId } = await this.#read(token)
    if (refreshId === undefined || claims.tokenId === undefined) throw notAccepted()
    const { account, sessionId } = identity
    const next = randomUUID()
    if (await this.#services.sessions.rotate(sessionId, claims.tokenId, next)) {
      return this.#issuePair(account, sessionId, claims.expiresAt, next)
    }
    const message = `A refresh token of ${accountName(account)} was used twice: its session has ended. Log in again.`
    await this.#services.authentication.logOut(identity, message)
    throw new Problem('not-logged-in', message)
  }

  async #read(token: string): Promise<{ identity: Identity; claims: TokenClaims; refreshId: string | undefined }> {
    const { authentication, sessions, tokens } = this.#services
    const identity = await authentication.identify(token, 'refresh')
    const claims = await tokens.read(token)
    const session = await sessions.find(identity.sessionId)
    if (!claims || !session) throw notAccepted()
    return { identity, claims, refreshId: session.refreshId }
  }

  /** The refresh token is valid as long as its session. */
  async #issuePair(account: Account, sessionId: string, sessionEnds: Date, refreshId: string): Promise<TokenPair> {
    const access = await this.#issueAccess(account, sessionId, sessionEnds)
    const claims = { accountId: account.id, role: account.role, sessionId, expiresAt: sessionEnds }
    const token = await this.#services.tokens.issue({ ...claims, use: 'refresh', tokenId: refreshId })
    return { account, access, refresh: { token, expiresAt: sessionEnds } }
  }

  async #issueAccess({ id, role }: Account, sessionId: string, sessionEnds: Date): Promise<PairToken> {
    const expiresAt = new Date(Math.min(this.#services.clock.now() + accessTtlMs, sessionEnds.getTime()))
    const claims = { accountId: id, role, sessionId, expiresAt }
    const token = await this.#services.tokens.issue({ ...claims, use: 'access', tokenId: randomUUID() })
    return { token, expiresAt }
  }
}

const accessTtlMs = 30 * 60_000
const refreshTtlMs = 24 * 60 * 60_000

function notAccepted(): Problem {
  return new Problem('not-logged-in', 'This refresh token is not accepted here: log in, and use the one that you get.')
}
