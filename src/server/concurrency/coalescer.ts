import { type Deferred, deferred } from './deferred.js'

/** Runs one job for many callers: calls during a run share the one run after it. */
export class Coalescer<Item = void> {
  readonly #work: (items: Item[]) => Promise<void>
  #waiting: { item: Item; settled: Deferred<void> }[] = []
  #draining: Promise<void> | null = null

  /** `work` is given the items of all calls that share the run. */
  constructor(work: (items: Item[]) => Promise<void>) {
    this.#work = work
  }

  /** Resolves after a run that began after this call. Rejects as that run does. */
  run(item: Item): Promise<void> {
    const settled = deferred()
    this.#waiting.push({ item, settled })
    this.#draining ??= this.#drain()
    return settled.promise
  }

  /** Resolves when no run is under way and none is waiting. */
  async idle(): Promise<void> {
    await this.#draining
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        await this.#work(batch.map(({ item }) => item))
        for (const { settled } of batch) settled.resolve()
      } catch (error) {
        for (const { settled } of batch) settled.reject(error)
      }
    }
    this.#draining = null
  }
}
