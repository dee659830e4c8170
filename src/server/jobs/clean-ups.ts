/** Why a job's work failed. */
export interface WorkFailure {
  error: unknown
}

/** Work to do before a job's end is announced. Returns a promise if it is asynchronous. */
type CleanUp = (failure: WorkFailure | null) => unknown

/** The clean-ups of one job, as a stack: resources are closed in reverse order of opening. */
export class CleanUps {
  readonly #stack = new Set<CleanUp>()
  readonly #onError: (error: unknown) => void

  /** `onError` is called for each failed clean-up. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Returns a function that removes it. */
  add(cleanUp: CleanUp): () => void {
    this.#stack.add(cleanUp)
    return () => this.#stack.delete(cleanUp)
  }

  /**
   * Runs each once, in reverse order, including those added meanwhile. Resolves with false if one has failed: the job
   * must end anyway, or it would hold its slot forever.
   */
  async run(failure: WorkFailure | null): Promise<boolean> {
    let isClean = true
    for (let cleanUp = this.#take(); cleanUp; cleanUp = this.#take()) {
      try {
        await cleanUp(failure)
      } catch (error) {
        isClean = false
        this.#onError(error)
      }
    }
    return isClean
  }

  #take(): CleanUp | undefined {
    const last = [...this.#stack].at(-1)
    if (last) this.#stack.delete(last)
    return last
  }
}
