import type { Problem } from '../../protocol/problems.js'
import { type Deferred, deferred } from '../jobs/deferred.js'

/**
 * Lets one request at a time work on something. A newer one ends the one before and takes over, instead of waiting for
 * it: what broke without a word would else keep out its own successor.
 */
export class RequestTurns {
  #current: Turn | null = null
  #closed: Problem | null = null

  get isBusy(): boolean {
    return this.#current !== null
  }

  get isClosed(): boolean {
    return this.#closed !== null
  }

  /** Ends the request before by `reason`, then runs `work`, whose signal aborts when `left` does or a newer one comes. */
  async run<T>(left: AbortSignal | null, reason: Problem, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    while (this.#current) await this.#end(this.#current, reason)
    // From here to the taking of the turn nothing waits: of two that come at once, one goes first.
    if (this.#closed) throw this.#closed
    const turn = { controller: new AbortController(), ended: deferred() }
    this.#current = turn
    try {
      return await work(AbortSignal.any([turn.controller.signal, ...(left ? [left] : [])]))
    } finally {
      this.#current = null
      turn.ended.resolve()
    }
  }

  /** Resolves when no request is at work. */
  async idle(): Promise<void> {
    while (this.#current) await this.#current.ended.promise
  }

  /** Ends the request at work, and refuses all that come, by `reason`. */
  async close(reason: Problem): Promise<void> {
    this.#closed = reason
    while (this.#current) await this.#end(this.#current, reason)
  }

  #end({ controller, ended }: Turn, reason: Problem): Promise<void> {
    controller.abort(reason)
    return ended.promise
  }
}

interface Turn {
  controller: AbortController
  ended: Deferred<void>
}
