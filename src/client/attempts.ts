import type { Api } from './api.js'
import { checkNotEnded } from './ended-job.js'
import { hasCode, isPassing } from './errors.js'
import type { TransferJob } from './stoppable-job.js'
import { waitMs } from './time-limit.js'

/** Counts consecutive attempts without progress. */
export class Attempts {
  readonly #most: number
  #failures = 0

  constructor(most = 5) {
    this.#most = most
  }

  /** More bytes are stored for good. */
  advanced(): void {
    this.#failures = 0
  }

  /**
   * Repeats an attempt, with growing delays, until it succeeds. Throws its error if a retry is pointless or the retries
   * are used up, and that of the job if it was stopped or has failed. `wasBroken`: the connection broke just before.
   */
  async run<T>(api: Api, job: TransferJob, attempt: (isRetry: boolean) => Promise<T>, wasBroken = false): Promise<T> {
    for (let isRetry = wasBroken; ; isRetry = true) {
      try {
        if (isRetry) await checkNotEnded(api, job.partOf ?? job.id, job.signal)
        return await attempt(isRetry)
      } catch (error) {
        job.signal.throwIfAborted()
        if (!isWorthRetrying(error) || this.#failures >= this.#most) throw error
        const pauseMs = Math.min(firstPauseMs * 2 ** this.#failures, longestPauseMs)
        this.#failures += 1
        await waitMs(pauseMs, job.signal)
      }
    }
  }
}

const firstPauseMs = 250
const longestPauseMs = 5_000

/** Never true for a stopped transfer, nor for one that was paused for longer than the server allows. */
function isWorthRetrying(error: unknown): boolean {
  if (hasCode(error, 'stalled')) return !('maxPauseMs' in error.problem)
  return isPassing(error) || hasCode(error, 'client-left', 'offset-mismatch')
}
