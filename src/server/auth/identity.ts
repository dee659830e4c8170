import type { Account } from '../stores/accounts.js'

/** Who asks: an enabled account, by a live session. */
export interface Identity {
  readonly account: Account
  readonly sessionId: string
  /** Aborts, with a `Revocation` as its reason, when the session is revoked or its account disabled or removed; not when the token expires. */
  readonly revoked: AbortSignal
}

/** Why transfers, streams and waiting requests of a session end. */
export class Revocation extends Error {
  /** `role:username` of who revoked. */
  readonly by: string

  constructor(by: string, message: string) {
    super(message)
    this.name = 'Revocation'
    this.by = by
  }
}
