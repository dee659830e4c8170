import { unlessAborted } from '../../concurrency/abortable.js'
import { type Deferred, deferred } from '../../concurrency/deferred.js'

/** The bytes that files of a scratch folder may have together. Who wants more waits, in order of arrival. */
export class SpoolSpace {
  readonly #maxBytes: number
  readonly #waiters: { bytes: number; admitted: Deferred<void> }[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** One file is admitted whatever its size. Rejects with the reason of the signal. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const waiter = { bytes, admitted: deferred() }
    this.#waiters.push(waiter)
    this.#admit()
    try {
      await unlessAborted(waiter.admitted.promise, signal)
    } catch (error) {
      const at = this.#waiters.indexOf(waiter)
      if (at < 0) this.give(bytes)
      else this.#waiters.splice(at, 1)
      this.#admit()
      throw error
    }
  }

  give(bytes: number): void {
    this.#bytes -= bytes
    this.#admit()
  }

  #admit(): void {
    for (let next = this.#waiters[0]; next; next = this.#waiters[0]) {
      if (this.#bytes > 0 && this.#bytes + next.bytes > this.#maxBytes) return
      this.#waiters.shift()
      this.#bytes += next.bytes
      next.admitted.resolve()
    }
  }
}
