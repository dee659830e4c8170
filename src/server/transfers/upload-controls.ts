import type { Job } from '../jobs/job.js'
import type { ResumableBytes } from './resumable-bytes.js'

/** Saves whether an upload's job is paused, and its rate limit, for a later run of the server. */
export class UploadControls {
  readonly #job: Job
  readonly #bytes: ResumableBytes
  readonly #onFailure: (error: unknown) => void
  #isSaving = false

  constructor(job: Job, bytes: ResumableBytes, onFailure: (error: unknown) => void) {
    this.#job = job
    this.#bytes = bytes
    this.#onFailure = onFailure
  }

  /** Schedules a save. Call it when one of them may have changed. */
  save(): void {
    if (!this.#isSaving) void this.#save()
  }

  /** Without them the upload still continues, so a failure ends nothing. */
  async #save(): Promise<void> {
    const job = this.#job
    this.#isSaving = true
    try {
      for (;;) {
        const { resumeState } = this.#bytes
        const controls = { paused: job.isHeld, rateLimit: job.throttle.bytesPerSecond }
        const isKept = resumeState.paused === controls.paused && resumeState.rateLimit === controls.rateLimit
        if (isKept || job.signal.aborted || job.isEnded || job.state === 'committing') return
        await this.#bytes.change(controls)
      }
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#isSaving = false
    }
  }
}
