import { deferred } from '../concurrency/deferred.js'
import type { Admission } from '../jobs/admission.js'
import { type JobRun, runJob } from '../jobs/run-job.js'

/** One export job and its open responses. It ends with the last of them, and fails with the first error. */
export class SharedExport {
  readonly #starting: Promise<{ run: JobRun; result: Promise<void> }>
  readonly #lastLeft = deferred()
  #run: JobRun | null = null
  #streams = 1
  #failure: { error: unknown } | null = null

  /** Starts with one stream. */
  constructor(admitting: Promise<Admission>) {
    this.#starting = this.#start(admitting)
    this.#starting.catch(() => {})
  }

  /** Resolves when the job has its slot. Rejects with the reason why it gets none. */
  async started(): Promise<JobRun> {
    return (await this.#starting).run
  }

  /** True if no stream can join: all have ended, or the job is being stopped. */
  get isOver(): boolean {
    return this.#run !== null && (this.#streams === 0 || this.#run.signal.aborted || this.#run.job.isEnded)
  }

  get isFull(): boolean {
    return this.#streams >= maxStreams
  }

  enter(): void {
    this.#streams++
  }

  /** The job fails with this error, unless a stream failed before. */
  fail(error: unknown): void {
    this.#failure ??= { error }
  }

  /** One stream has ended. If it was the last, resolves when the job has ended. */
  async leave(): Promise<void> {
    this.#streams--
    if (this.#streams > 0) return
    if (this.#failure) this.#lastLeft.reject(this.#failure.error)
    else this.#lastLeft.resolve()
    const { result } = await this.#starting
    await result.catch(() => {})
  }

  async #start(admitting: Promise<Admission>): Promise<{ run: JobRun; result: Promise<void> }> {
    const { result } = await runJob(admitting, (run) => {
      this.#run = run
      return this.#lastLeft.promise
    })
    return { run: this.#run!, result }
  }
}

/** A reader with more connections than this is rejected. */
export const maxStreams = 64
