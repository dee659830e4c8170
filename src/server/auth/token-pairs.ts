import type { Account } from '../stores/accounts.js'
import type { Asker, Authentication, Credentials } from './authentication.js'
import type { Tokens } from './tokens.js'

export interface AccessToken {
  token: string
  expiresAt: Date
}

export interface TokenPair {
  account: Account
  access: AccessToken
  /** Fetches the next access token; it opens nothing else. */
  refresh: AccessToken
}

export interface TokenPairServices {
  authentication: Pick<Authentication, 'logIn' | 'identify'>
  tokens: Tokens
}

/** Logins by two tokens, for clients that keep the one that travels with every request short-lived. */
export class TokenPairs {
  readonly #services: TokenPairServices

  constructor(services: TokenPairServices) {
    this.#services = services
  }

  /** As `Authentication.logIn`, by a session of a day at most. */
  async logIn(credentials: Credentials, asker: Asker): Promise<TokenPair> {
    const { account, session } = await this.#services.authentication.logIn(credentials, asker, refreshTtlMs)
    const expiresAt = new Date(session.expiresAt)
    const refresh = await this.#issue(account, session.id, 'refresh', expiresAt)
    return { account, access: await this.#issueAccess(account, session.id, expiresAt), refresh }
  }

  /** Throws `not-logged-in` when it is no refresh token, or its session has ended. */
  async refresh(token: string): Promise<AccessToken> {
    const { authentication, tokens } = this.#services
    const { account, sessionId } = await authentication.identify(token, 'refresh')
    // The refresh token lives as long as its session.
    const claims = await tokens.read(token)
    return this.#issueAccess(account, sessionId, claims?.expiresAt ?? new Date())
  }

  #issueAccess(account: Account, sessionId: string, sessionEnds: Date): Promise<AccessToken> {
    const ends = Math.min(Date.now() + accessTtlMs, sessionEnds.getTime())
    return this.#issue(account, sessionId, 'access', new Date(ends))
  }

  async #issue(
    { id, role }: Account,
    sessionId: string,
    use: 'access' | 'refresh',
    expiresAt: Date,
  ): Promise<AccessToken> {
    const token = await this.#services.tokens.issue({ accountId: id, role, sessionId, expiresAt, use })
    return { token, expiresAt }
  }
}

const accessTtlMs = 30 * 60_000
const refreshTtlMs = 24 * 60 * 60_000
