import { type Deferred, deferred } from './deferred.js'

/**
 * One holder at a time; a newer one aborts the current one and takes over instead of queueing: a connection that broke
 * without a FIN would otherwise keep out its own successor.
 */
export class TakeoverMutex {
  #current: Holder | null = null
  #closed: Error | null = null

  get isBusy(): boolean {
    return this.#current !== null
  }

  get isClosed(): boolean {
    return this.#closed !== null
  }

  /**
   * Aborts the current holder by `reason`, then runs `work`. Its signal aborts when `clientSignal` does or when a newer one
   * takes over.
   */
  async run<T>(clientSignal: AbortSignal | null, reason: Error, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    while (this.#current) await this.#abort(this.#current, reason)
    // No await between here and the claim: of two that come at once, one waits for the other.
    if (this.#closed) throw this.#closed
    const holder = { controller: new AbortController(), ended: deferred() }
    this.#current = holder
    try {
      return await work(AbortSignal.any([holder.controller.signal, ...(clientSignal ? [clientSignal] : [])]))
    } finally {
      this.#current = null
      holder.ended.resolve()
    }
  }

  /** Resolves when there is no holder. */
  async idle(): Promise<void> {
    while (this.#current) await this.#current.ended.promise
  }

  /** Aborts the current holder, and rejects all later ones, by `reason`. */
  async close(reason: Error): Promise<void> {
    this.#closed = reason
    while (this.#current) await this.#abort(this.#current, reason)
  }

  #abort({ controller, ended }: Holder, reason: Error): Promise<void> {
    controller.abort(reason)
    return ended.promise
  }
}

interface Holder {
  controller: AbortController
  ended: Deferred<void>
}
