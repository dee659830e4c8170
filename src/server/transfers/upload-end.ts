import { unlessAborted } from '../concurrency/abortable.js'
import { deferred } from '../concurrency/deferred.js'
import type { JobRun } from '../jobs/run-job.js'
import { isDiskFull } from '../stores/disk-full.js'
import type { StoredFile } from '../stores/files.js'
import { describePublished } from './ended-uploads.js'
import type { ResumableBytes } from './resumable-bytes.js'

export interface EndServices {
  /** Throws if the account may no longer publish. */
  checkAccess(accountId: number): Promise<void>
}

/** The end of a resumable upload, which happens once: its bytes are published, or removed. */
export class UploadEnd {
  readonly #run: JobRun
  readonly #bytes: ResumableBytes
  readonly #services: EndServices
  readonly #complete = deferred()
  #publishing: Promise<StoredFile> | null = null
  #published: StoredFile | null = null
  #failure: unknown = null

  constructor(run: JobRun, bytes: ResumableBytes, services: EndServices) {
    this.#run = run
    this.#bytes = bytes
    this.#services = services
  }

  /** The running publish; null if none has started. */
  get publishing(): Promise<StoredFile> | null {
    return this.#publishing
  }

  get published(): StoredFile | null {
    return this.#published
  }

  /**
   * The work of the upload's job: waits until all bytes have arrived, and publishes them. Rejects if the job is aborted
   * before. `idle` resolves when no request is writing.
   */
  async work(idle: () => Promise<void>): Promise<StoredFile> {
    const run = this.#run
    const bytes = this.#bytes
    run.onEnd(() => bytes.release())
    run.onFailure((error) => isDiskFull(error) && bytes.freed())
    run.onFailure(() => bytes.remove())
    // During the publish no request writes: each waits for the end.
    run.onFailure(() => this.#publishing === null && idle())
    try {
      await unlessAborted(this.#complete.promise, run.signal)
      const sha256 = await bytes.settle(run.signal)
      await this.#services.checkAccess(run.job.accountId)
      run.job.commit()
      this.#published = await bytes.publish(sha256)
      run.job.file = this.#published.name
      run.job.uploaded = describePublished(bytes.resumeState.metadata, this.#published)
      return this.#published
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  /** Called when all bytes have arrived. Settles when the job has ended, at once if it is already aborted. */
  async publish(): Promise<StoredFile> {
    // The clean-ups wait for the request that calls this, so it must not wait for them.
    if (!this.#publishing) this.#run.signal.throwIfAborted()
    this.#publishing ??= this.#publishOnce()
    // Prevents an unhandled rejection: the publish continues when the request that started it has disconnected.
    this.#publishing.catch(() => {})
    return await this.#publishing
  }

  async #publishOnce(): Promise<StoredFile> {
    this.#complete.resolve()
    await this.#run.job.ended
    if (!this.#published) throw this.#failure
    // Only now: after a crash, the next start needs the state to see that the job was done. A remaining one is removed
    // by the next start.
    await this.#bytes.remove().catch(() => {})
    return this.#published
  }
}
