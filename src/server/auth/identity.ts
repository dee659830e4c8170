import type { Account } from '../stores/accounts.js'

/** The authenticated client: an enabled account with a live session. */
export interface Identity {
  readonly account: Account
  readonly sessionId: string
  /**
   * Aborted, with a `Revocation` as its reason, when the session is revoked or its account disabled or removed; not
   * when the token expires.
   */
  readonly revoked: AbortSignal
}

/** Why the transfers, streams and waiting requests of a session end. */
export class Revocation extends Error {
  /** The `role:username` that revoked it. */
  readonly by: string

  constructor(by: string, message: string) {
    super(message)
    this.name = 'Revocation'
    this.by = by
  }
}
