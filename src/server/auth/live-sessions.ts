import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.js'
import { Revocation } from './identity.js'

/** The sessions in use in this process, each with the signal that ends its work. */
export class LiveSessions {
  readonly #bySession = new Map<string, LiveSession>()
  readonly #clock: Clock
  #sweepAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The signal of a session: the same for every request, also after the session has expired. */
  signal(sessionId: string, accountId: number, expiresAt: Date): AbortSignal {
    const known = this.#bySession.get(sessionId)
    if (known) return known.controller.signal
    this.#sweep()
    const controller = new AbortController()
    // Every transfer of the session adds a listener: this is no leak, but Node would warn.
    setMaxListeners(0, controller.signal)
    this.#bySession.set(sessionId, { controller, accountId, expiresAt })
    return controller.signal
  }

  /** Aborts the signal of a session that has ended; `by` is a `role:username`. */
  end(sessionId: string, by: string, message: string): void {
    this.#bySession.get(sessionId)?.controller.abort(new Revocation(by, message))
    this.#bySession.delete(sessionId)
  }

  /** Aborts the signals of all sessions of an account, including expired ones: their transfers may still run. */
  endAll(accountId: number, by: string, message: string, exceptSessionId?: string): void {
    for (const [id, live] of this.#bySession) {
      if (live.accountId === accountId && id !== exceptSessionId) this.end(id, by, message)
    }
  }

  /** Discards what `signal` stored for a session that does not exist. */
  forget(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  /** How long an expired session is kept: as long as a transfer that it started may reasonably run. */
  #sweep(): void {
    const now = this.#clock.now()
    if (now < this.#sweepAt) return
    this.#sweepAt = now + 3_600_000
    for (const [id, { expiresAt }] of this.#bySession) {
      if (expiresAt.getTime() + keepExpiredMs < now) this.#bySession.delete(id)
    }
  }
}

interface LiveSession {
  readonly controller: AbortController
  readonly accountId: number
  readonly expiresAt: Date
}

const keepExpiredMs = 7 * 86_400_000
