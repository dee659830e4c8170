/** One holder at a time, first come, first served. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()
  #size = 0

  /** Whether no work is running or queued. */
  get isFree(): boolean {
    return this.#size === 0
  }

  /** Runs the work once all earlier work has settled. A failure does not keep later work from running. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#size++
    const result = this.#last.then(work).finally(() => {
      this.#size--
    })
    this.#last = result.catch(() => {})
    return result
  }

  /** Resolves when all work queued before this call has settled. */
  async idle(): Promise<void> {
    await this.#last
  }
}
