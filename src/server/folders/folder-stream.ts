import { setMaxListeners } from 'node:events'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { ArrivingFiles } from '../jobs/arriving-files.js'
import type { Carrier } from '../jobs/carrier.js'
import { CleanUps, type WorkFailure } from '../jobs/clean-ups.js'
import { type FileEnd, FileTally } from '../jobs/file-tally.js'
import type { Job } from '../jobs/job.js'
import { asProblem } from '../jobs/outcome.js'
import type { JobRun } from '../jobs/run-job.js'
import { stopWhenRevoked } from '../jobs/stop-when-revoked.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../stores/partials.js'
import { countFile } from './count-file.js'
import type { Stage } from './stage.js'

export interface StreamOptions {
  job: Job
  /** The id of its first partial. */
  partialId: string
  /** Where files wait to be published together; null if each is published when it has arrived. */
  stage: Stage | null
  onCleanUpError(error: unknown): void
  /** Keeps something of it until the job ends; see `FolderStream.hold`. */
  hold(held: Held): (bytes: number) => void
}

/** An incomplete file that is kept between the streams of a job. */
export interface Held {
  name: string
  /** Bytes that the job counts for it. */
  bytes(): number
  /** Called once, if it is incomplete when the job ends. */
  remove(): Promise<void>
}

/**
 * One request that moves files of a job of many. It fails alone: its bytes are taken back, and the job continues. A stop
 * of the job ends all of its streams.
 */
export class FolderStream implements JobRun {
  readonly job: Job
  readonly partialId: string
  readonly stage: Stage | null
  readonly carrier: Carrier
  /** The files of this stream alone. */
  readonly files = new FileTally(null)
  /** What a request with several files has brought. */
  arriving: ArrivingFiles = { last: null, has: () => false }
  readonly #controller = new AbortController()
  readonly #cleanUps: CleanUps
  readonly #onJobAborted = () => this.#controller.abort(this.job.signal.reason)
  readonly #hold: StreamOptions['hold']
  /** Bytes that were counted and do not belong to a file that has arrived. */
  #underWay = 0

  constructor({ job, partialId, stage, onCleanUpError, hold }: StreamOptions) {
    this.#hold = hold
    this.job = job
    this.partialId = partialId
    this.stage = stage
    this.#cleanUps = new CleanUps(onCleanUpError)
    // Not AbortSignal.any: a job of 100,000 requests would keep a reference to each until its end.
    job.signal.addEventListener('abort', this.#onJobAborted)
    if (job.signal.aborted) this.#onJobAborted()
    setMaxListeners(0, this.signal)
    this.carrier = carrierOf(job, this.signal, (bytes) => this.count(bytes))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isStaged(): boolean {
    return this.stage !== null
  }

  start(): void {}

  abort(error: Problem): void {
    this.#controller.abort(error)
  }

  /** The point of no return of the files that it publishes next. Throws the reason of a stop that came first. */
  commit(): void {
    this.signal.throwIfAborted()
  }

  bring(files: ArrivingFiles): void {
    this.arriving = files
  }

  stopWhenRevoked(identity: Identity): () => void {
    const endWatch = stopWhenRevoked(this.job, identity)
    const forget = this.#cleanUps.add(endWatch)
    return () => {
      endWatch()
      forget()
    }
  }

  onEnd(cleanUp: () => unknown): void {
    this.#cleanUps.add(() => cleanUp())
  }

  onFailure(cleanUp: (error: unknown) => unknown): void {
    this.#cleanUps.add((failure) => failure && cleanUp(failure.error))
  }

  /** Throws `not-joinable` if a file of this name does not belong to the job. */
  checkName(name: string): void {
    const prefix = this.job.file ?? ''
    if (name.startsWith(prefix)) return
    throw new Problem('not-joinable', `"${name}" is not below ${prefix}, where the files of the job are.`, { name })
  }

  /** Counts bytes of files. A flow with `carrier` does so by itself. */
  count(bytes: number): void {
    this.#underWay += bytes
    this.job.count(bytes)
  }

  async publish(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial> {
    this.checkName(target.name)
    const published = this.stage ? await this.stage.add(partial, target) : await partial.publish(target)
    this.fileDone(endOf(published))
    return published
  }

  /** Counts and lists a file that has arrived, was unchanged or was removed. `size`: bytes, counted before or not. */
  fileDone(file: Exclude<FileEnd, { status: 'failed' }>): void {
    if (file.status !== 'removed') {
      const counted = Math.min(this.#underWay, file.size)
      this.#underWay -= counted
      this.job.shift(file.size - counted)
    }
    this.#count(file)
  }

  /** Counts and lists a file that failed; the stream continues. */
  fileFailed(name: string, error: unknown): void {
    const { code, message } = asProblem(error)
    this.#count({ name, status: 'failed', error: { code, message } })
  }

  /**
   * Keeps an incomplete file when this stream has ended, so that a later one continues it. Returns a function that ends
   * this, and takes back bytes of the file.
   */
  hold(held: Held): (bytes: number) => void {
    return this.#hold(held)
  }

  /** Continues a held file of which the job counts `bytes`: they are lost if this stream fails, unless it hands them over. */
  adopt(bytes: number): void {
    this.#underWay += bytes
  }

  /** The held file has `bytes` now, which no longer depend on this stream. */
  handOver(bytes: number): number {
    this.job.shift(bytes - this.#underWay)
    this.#underWay = 0
    return bytes
  }

  /** Called once, when its work has settled. Resolves with false if something of an incomplete file is left. */
  async end(failure: WorkFailure | null): Promise<boolean> {
    const isClean = await this.#cleanUps.run(failure)
    this.job.signal.removeEventListener('abort', this.#onJobAborted)
    if (failure && this.job.signal.aborted) this.job.files?.discard(this.#underWay)
    else if (failure) this.job.shift(-this.#underWay)
    return isClean
  }

  #count(file: FileEnd): void {
    this.files.count(file)
    countFile(this.job, file)
  }
}

function carrierOf(job: Job, signal: AbortSignal, count: (bytes: number) => void): Carrier {
  return {
    clock: job.clock,
    throttle: job.throttle,
    signal,
    count,
    get state() {
      return job.state
    },
    get unpaused() {
      return job.unpaused
    },
  }
}

function endOf({ file, created }: PublishedPartial): Exclude<FileEnd, { status: 'failed' }> {
  return { name: file.name, size: file.size, status: created ? 'new' : 'replaced' }
}
