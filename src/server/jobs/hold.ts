import { type Deferred, deferred } from '../concurrency/deferred.js'

/** Lets no byte pass while it is set, as a pause does, but jobs keep their states. */
export class Hold {
  #released: Deferred<void> | null = null

  get isSet(): boolean {
    return this.#released !== null
  }

  /** Resolves when it is not set. */
  get released(): Promise<void> {
    return this.#released?.promise ?? Promise.resolve()
  }

  set(isSet: boolean): void {
    if (isSet) this.#released ??= deferred()
    else {
      this.#released?.resolve()
      this.#released = null
    }
  }
}
