import { Mutex } from './mutex.js'

/** One holder at a time for each key, first come, first served. Keys do not wait for each other. */
export class KeyedMutex {
  readonly #mutexes = new Map<string, Mutex>()

  /** How many keys are held. */
  get size(): number {
    return this.#mutexes.size
  }

  /** Runs the work once all earlier work of the key has settled. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const mutex = this.#mutexes.get(key) ?? new Mutex()
    this.#mutexes.set(key, mutex)
    try {
      return await mutex.run(work)
    } finally {
      if (mutex.isFree && this.#mutexes.get(key) === mutex) this.#mutexes.delete(key)
    }
  }

  /** Resolves when all work of the key queued before this call has settled. */
  async settled(key: string): Promise<void> {
    await this.#mutexes.get(key)?.idle()
  }
}
