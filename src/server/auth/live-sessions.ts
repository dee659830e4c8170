import { setMaxListeners } from 'node:events'
import { Revocation } from './identity.js'

/** The sessions in use in this process, each with the signal that ends what runs by it. */
export class LiveSessions {
  readonly #bySession = new Map<string, LiveSession>()
  #sweepAt = 0

  /** The signal of a session: the same one for every request, also after the session has expired. */
  signal(sessionId: string, accountId: number, expiresAt: Date): AbortSignal {
    const known = this.#bySession.get(sessionId)
    if (known) return known.controller.signal
    this.#sweep()
    const controller = new AbortController()
    // Every transfer of the session listens to it: that is no leak, and Node would warn of one.
    setMaxListeners(0, controller.signal)
    this.#bySession.set(sessionId, { controller, accountId, expiresAt })
    return controller.signal
  }

  /** Aborts the signal of a session that has ended, by `role:username`. */
  end(sessionId: string, by: string, message: string): void {
    this.#bySession.get(sessionId)?.controller.abort(new Revocation(by, message))
    this.#bySession.delete(sessionId)
  }

  /** Aborts the signals of all sessions of an account, of expired ones too: their transfers may still run. */
  endAll(accountId: number, by: string, message: string, exceptSessionId?: string): void {
    for (const [id, live] of this.#bySession) {
      if (live.accountId === accountId && id !== exceptSessionId) this.end(id, by, message)
    }
  }

  /** Drops what `signal` noted of a session that turned out not to exist. */
  forget(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  /** An expired session is kept for as long as a transfer that began by it may reasonably run. */
  #sweep(): void {
    const now = Date.now()
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
