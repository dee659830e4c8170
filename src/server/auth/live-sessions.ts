import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.js'
import { Revocation } from './identity.js'

/** Sessions that have ended, by whom, and why in words. */
export type EndedSessions = { by: string; message: string } & (
  | { sessions: string[] }
  | { accountId: number; exceptSession?: string | undefined }
)

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

  /** Aborts the signals; those of an account also of expired sessions, whose transfers may still run. */
  end(ended: EndedSessions): void {
    const { by, message } = ended
    for (const id of 'sessions' in ended ? ended.sessions : this.#ofAccount(ended)) {
      this.#bySession.get(id)?.controller.abort(new Revocation(by, message))
      this.#bySession.delete(id)
    }
  }

  /** Those that have not expired. */
  unexpired(): { id: string; accountId: number }[] {
    const now = this.#clock.now()
    const all = [...this.#bySession].map(([id, live]) => ({ id, ...live }))
    return all.filter(({ expiresAt }) => expiresAt.getTime() > now)
  }

  /** Discards what `signal` stored for a session that does not exist. */
  forget(sessionId: string): void {
    this.#bySession.delete(sessionId)
  }

  #ofAccount({ accountId, exceptSession }: { accountId: number; exceptSession?: string | undefined }): string[] {
    return [...this.#bySession].flatMap(([id, live]) => {
      return live.accountId === accountId && id !== exceptSession ? id : []
    })
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
