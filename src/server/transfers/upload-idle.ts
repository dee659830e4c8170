import { asProblem } from '../jobs/outcome.js'
import { interrupt } from '../jobs/resumable-slot.js'
import type { UploadParts } from './upload-parts.js'
import { takenOver } from './upload-problems.js'

/** Releases resources of a resumable upload between its requests: first its slot, later its space and its open file. */
export class UploadIdle {
  readonly #parts: UploadParts
  readonly #planNext: () => void
  readonly #onFailure: (error: unknown) => void

  /** `planNext` is called if something remains to be released. */
  constructor(parts: UploadParts, planNext: () => void, onFailure: (error: unknown) => void) {
    this.#parts = parts
    this.#planNext = planNext
    this.#onFailure = onFailure
  }

  /** Releases the slot and suspends the upload when that is due. Never rejects. */
  async giveUp(): Promise<void> {
    const { run, requests } = this.#parts
    try {
      // Takes over like a request, so that no request writes at the same time.
      await requests.run(null, takenOver(), () => this.#giveUpDue())
    } catch (error) {
      // The server is shutting down: everything is kept for the next start.
      if (requests.isClosed) return
      this.#onFailure(error)
      run.job.abort(asProblem(error))
    }
  }

  async #giveUpDue(): Promise<void> {
    const { run, slot, bytes } = this.#parts
    if (run.signal.aborted) return
    if (slot.isDue) {
      interrupt(run.job)
      slot.release()
    }
    if (!slot.isSuspensionDue) return this.#planNext()
    run.job.isSuspended = true
    slot.close()
    await bytes.suspend()
  }
}
