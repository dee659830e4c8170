/** One holder at a time for each key; the others wait in the order in which they came. */
export class NameLocks {
  readonly #last = new Map<string, Promise<void>>()

  async hold<T>(key: string, work: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const done = result.then(
      () => {},
      () => {},
    )
    this.#last.set(key, done)
    try {
      return await result
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key)
    }
  }

  /** Resolves when nobody who came before holds the key. */
  async settled(key: string): Promise<void> {
    await this.#last.get(key)
  }
}
