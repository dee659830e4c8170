import { Problem } from '../../protocol/problems.js'
import { type Identity, Revocation } from '../auth/identity.js'
import type { PartialFile, PublishedPartial, PublishTarget } from '../stores/partials.js'
import type { Admission } from './admission.js'
import type { ArrivingFiles } from './arriving-files.js'
import type { Carrier } from './carrier.js'
import { CleanUps, type WorkFailure } from './clean-ups.js'
import type { Job } from './job.js'
import { asProblem, problemOf } from './outcome.js'
import { stopWhenRevoked } from './stop-when-revoked.js'

/** The parameters of a job's work. */
export interface JobRun {
  readonly job: Job
  /** Aborted when the job is stopped, or fails for a reason outside of its work. */
  readonly signal: AbortSignal
  /** What the bytes of its streams are counted for. */
  readonly carrier: Carrier
  /** The id of its partial; those of further ones start with it and a dot. */
  readonly partialId: string
  /** Like `Job.abort`. */
  abort(error: Problem): void
  /** Like `Job.commit`. */
  commit(): void
  /** Throws if a file of this name cannot belong to the job. */
  checkName(name: string): void
  /** Names the files of a request that brings several: if it breaks, others may be missing. */
  bring(files: ArrivingFiles): void
  /** Whether its files are kept for a common publish, in space that is reserved for all of them. */
  readonly isStaged: boolean
  /** Publishes an upload's file, or keeps it where all files of the job are published together. */
  publish(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial>
  /** For a job whose plan has `startsLater`, and for one that was registered without a slot and has one now. */
  start(): void
  /** Stops the job when the session of one of its requests is revoked. Returns a function that ends the watch. */
  stopWhenRevoked(identity: Identity): () => void
  /** Registers a clean-up for every outcome. */
  onEnd(cleanUp: () => unknown): void
  /** Registers a clean-up for every outcome but `done`. */
  onFailure(cleanUp: (error: unknown) => unknown): void
}

export interface RunningJob<Result> {
  job: Job
  /**
   * Settles after the job has ended, and rejects with the problem to respond with. An unhandled rejection is not an
   * error.
   */
  result: Promise<Result>
}

/**
 * The life of every job: claim → work → clean-ups → end → release → answer. Resolves once the job has its slot and its work has
 * begun; the job may outlive the request that began it, and serve several.
 *
 * The clean-ups run in reverse order of their registration after the work has settled, so that a stop is answered, and
 * an end announced, only when nothing is left. A stop before the work has settled or committed takes precedence over
 * its result. Rejects with the reason why it gets no slot; if the job had started to wait, it has ended then.
 */
export async function runJob<Result>(
  admitting: Promise<Admission>,
  work: (run: JobRun) => Promise<Result>,
): Promise<RunningJob<Result>> {
  const admission = await admitting
  const { job } = admission
  const cleanUps = new CleanUps(admission.onCleanUpError)
  try {
    await admission.queued
  } catch (error) {
    throw await fail(admission, cleanUps, { error })
  }
  const result = live(admission, cleanUps, work)
  result.catch(() => {})
  return { job, result }
}

async function live<Result>(
  admission: Admission,
  cleanUps: CleanUps,
  work: (run: JobRun) => Promise<Result>,
): Promise<Result> {
  const { job } = admission
  let result: Result
  try {
    if (!admission.startsLater) admission.start()
    result = await work(runOf(admission, cleanUps))
    if (job.state !== 'committing') job.signal.throwIfAborted()
  } catch (error) {
    throw await fail(admission, cleanUps, { error })
  }
  await cleanUps.run(null)
  job.end({ state: 'done' })
  admission.release()
  await admission.recorded()
  return result
}

/** Ends the job by what went wrong. Returns the problem to answer with. */
async function fail({ job, release, recorded }: Admission, cleanUps: CleanUps, failure: WorkFailure): Promise<Problem> {
  const { error } = failure
  if (error instanceof Revocation) job.stop(error.by).catch(() => {})
  const cleanedUp = await cleanUps.run(failure)
  const { code, message, details, cause } = asProblem(error)
  job.end({ state: 'failed', error: new Problem(code, message, details, { cause }), cleanedUp })
  release()
  await recorded()
  return problemOf(job, error)
}

function runOf({ job, start }: Admission, cleanUps: CleanUps): JobRun {
  return {
    job,
    signal: job.signal,
    carrier: job,
    partialId: job.id,
    isStaged: false,
    abort: (error) => job.abort(error),
    commit: () => job.commit(),
    checkName() {},
    // It fails with its only request.
    bring() {},
    publish: (partial, target) => partial.publish(target),
    start,
    stopWhenRevoked(identity) {
      const endWatch = stopWhenRevoked(job, identity)
      const forget = cleanUps.add(endWatch)
      return () => {
        endWatch()
        forget()
      }
    },
    onEnd: (cleanUp) => void cleanUps.add(() => cleanUp()),
    onFailure: (cleanUp) => void cleanUps.add((failure) => failure && cleanUp(failure.error)),
  }
}
