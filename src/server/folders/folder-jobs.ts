import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { deferred } from '../concurrency/deferred.js'
import type { WorkFailure } from '../jobs/clean-ups.js'
import type { FileEnd } from '../jobs/file-tally.js'
import type { Job } from '../jobs/job.js'
import type { NewJob } from '../jobs/job-plan.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import { type Account, accountName } from '../stores/accounts.js'
import { FolderJob, type FolderServices, type StreamRequest } from './folder-job.js'
import { jobEnded, noSuchJob, notReady, ofOneFile } from './folder-problems.js'
import { FolderStream } from './folder-stream.js'
import { recordFiles } from './record-files.js'
import { type OpenStage, publishAll, type Stage } from './stage.js'

export interface FolderJobsServices extends FolderServices {
  /** Not given: nothing can be published together. */
  openStage?: OpenStage
}

/** A request that opens a job. */
export interface OpenRequest extends JobRequest {
  kind: 'upload' | 'export'
  /** The prefix of the names of its files, with a slash at its end; empty for none. */
  name: string
  files: number | null
  totalBytes: number | null
  isTogether: boolean
  replaces: boolean
  rateLimit: number | null
}

/** The jobs of many files, and the requests that are their streams. */
export class FolderJobs {
  readonly #services: FolderJobsServices
  readonly #live = new Map<string, FolderJob>()
  readonly #stages = new Map<string, Stage>()
  /** Of jobs in `#live`: resolves when the end is recorded and nothing of a stage is left. */
  readonly #settled = new Map<string, Promise<void>>()
  readonly #endSweeps: () => void
  #closed: Problem | null = null

  constructor(services: FolderJobsServices) {
    this.#services = services
    const sweepMs = Math.min(longestSweepMs, Math.max(shortestSweepMs, services.keepPartialMs / 4))
    this.#endSweeps = services.clock.every(sweepMs, () => this.#sweep())
  }

  /** Resolves when the job has its slot. Throws `job-running`, `job-id-used`, and `shutting-down`. */
  async open(request: OpenRequest): Promise<Job> {
    const { jobs } = this.#services
    const isReady = deferred()
    const admission = jobs.admit({ ...this.#planOf(request), isResumable: true }, queueWaitOf(request))
    const { job, result } = await runJob(admission, async (run) => {
      recordFiles(run, this.#services.lists)
      const folder = new FolderJob(run, this.#services, await this.#openStage(run, request))
      this.#live.set(run.job.id, folder)
      run.stopWhenRevoked(request.identity)
      isReady.resolve()
      return folder.work()
    })
    // Until then, a repeated request to finish it waits for that.
    const settled = this.#settle(job, result).finally(() => {
      this.#live.delete(job.id)
      this.#settled.delete(job.id)
    })
    this.#settled.set(job.id, settled)
    await Promise.race([isReady.promise, result])
    return job
  }

  /**
   * Runs `work` as the only stream of a job of many files that ends with it, or as one stream of the job `partOf`. `name` is
   * a prefix. Throws like `open` and `join`. Of a job of its own, the result comes when the job has ended.
   */
  async carry<Result>(
    request: OpenRequest & { partOf: string | null },
    work: (stream: FolderStream) => Promise<Result>,
  ): Promise<Result> {
    const { partOf, name } = request
    if (partOf !== null) return this.join(partOf, { ...request, name: null, prefix: name }, work)
    const { jobs, onCleanUpError } = this.#services
    const admission = jobs.admit(this.#planOf(request), queueWaitOf(request))
    const { job, result } = await runJob(admission, async (run) => {
      recordFiles(run, this.#services.lists)
      const { job: ofStream, partialId } = run
      const stage = await this.#openStage(run, request)
      run.onFailure(() => stage?.discard())
      const stream = new FolderStream({
        job: ofStream,
        partialId,
        stage,
        onCleanUpError: (error) => onCleanUpError(ofStream, error),
        // No later stream of this job could continue a file.
        hold: () => () => {},
      })
      let failure: WorkFailure | null = null
      run.onEnd(async () => {
        if (!(await stream.end(failure))) throw new Error('Something of an incomplete file is left.')
      })
      stream.stopWhenRevoked(request.identity)
      try {
        const done = await work(stream)
        await this.#services.checkAccess(ofStream.accountId)
        await publishAll(ofStream, stage)
        return done
      } catch (error) {
        failure = { error }
        throw error
      }
    })
    await this.#settle(job, result)
    return result
  }

  /**
   * Runs `work` as one stream of a job, like `FolderJob.join`. Throws, before `work` begins, `job-not-found`, `job-stopped`,
   * `not-running` and `not-joinable` too.
   */
  async join<Result>(
    id: string,
    request: StreamRequest,
    work: (stream: FolderStream) => Promise<Result>,
  ): Promise<Result> {
    if (this.#closed) throw this.#closed
    const folder = await this.#find(id, request.identity.account)
    return folder.join(request, work)
  }

  /** Throws like `join` if a job takes no more requests; of one that is ending, when it has ended. */
  async mustBeOpen(id: string, account: Account): Promise<void> {
    await this.#find(id, account)
  }

  /** Ends a job when its streams have ended. Repeating it gives the same answer. */
  async finish(id: string, account: Account): Promise<{ job: JobRecord; published: Publication }> {
    const { jobs } = this.#services
    const folder = this.#live.get(id)
    if (folder?.job.accountId === account.id) {
      await folder.finish()
      await this.#settled.get(id)
    }
    const ended = await jobs.findEnded(id)
    if (ended?.accountId === account.id && ended.published && ended.job.state === 'done') {
      return { job: ended.job, published: ended.published }
    }
    throw await this.#whyNot(id, account)
  }

  /** Counts files that need no transfer, or that the client could not send or store. */
  async count(id: string, account: Account, files: FileEnd[]): Promise<JobRecord> {
    const folder = await this.#find(id, account)
    folder.count(files)
    return folder.job.record()
  }

  /** Counts files that need no transfer, without their names. */
  async countUnchanged(id: string, account: Account, unchanged: { count: number; bytes: number }): Promise<JobRecord> {
    const folder = await this.#find(id, account)
    folder.countUnchanged(unchanged)
    return folder.job.record()
  }

  /** Admits no more streams, and ends each job when its streams have ended. */
  async close(reason: Problem): Promise<void> {
    this.#closed = reason
    this.#endSweeps()
    for (const job of this.#services.jobs.unfinished()) if (job.files && job.state === 'waiting') job.abort(reason)
    await Promise.all([...this.#live.values()].map((folder) => folder.close(reason)))
    await Promise.all(this.#settled.values())
  }

  #planOf({ kind, name, files, totalBytes, rateLimit, identity, jobId: id }: OpenRequest): NewJob {
    const owner = { accountId: identity.account.id, account: accountName(identity.account) }
    return { id, kind, ...owner, file: name, files: { total: files }, totalBytes, rateLimit }
  }

  async #openStage({ job }: JobRun, { isTogether, identity, name, replaces }: OpenRequest): Promise<Stage | null> {
    if (!isTogether) return null
    const { openStage } = this.#services
    if (!openStage) throw new Problem('not-implemented', 'This server cannot publish the files of a job together.')
    const { role, username } = identity.account
    const stage = await openStage({ jobId: job.id, space: { role, username }, prefix: name, replace: replaces })
    this.#stages.set(job.id, stage)
    job.countFiles((tally) => {
      tally.isStaged = true
    })
    return stage
  }

  /** Until the end of a job is recorded, its stage says that it was published. Never rejects. */
  async #settle(job: Job, result: Promise<unknown>): Promise<void> {
    await result.catch(() => {})
    await this.#stages
      .get(job.id)
      ?.forget()
      .catch((error) => this.#services.onCleanUpError(job, error))
    this.#stages.delete(job.id)
  }

  async #find(id: string, account: Account): Promise<FolderJob> {
    const folder = this.#live.get(id)
    if (!folder || folder.job.accountId !== account.id) throw await this.#whyNot(id, account)
    if (folder.hasExpired) folder.expire()
    if (folder.job.signal.aborted || folder.job.isEnded) {
      await folder.job.ended
      throw jobEnded(folder.job.record())
    }
    return folder
  }

  async #whyNot(id: string, account: Account): Promise<Problem> {
    const found = await this.#services.jobs.findRecord(id)
    if (found?.accountId !== account.id) return noSuchJob(id)
    if (found.job.files === null) return ofOneFile(found.job)
    return found.job.endedAt === null ? notReady(found.job) : jobEnded(found.job)
  }

  #sweep(): void {
    for (const folder of this.#live.values()) if (folder.hasExpired) folder.expire()
  }
}

const longestSweepMs = 60_000
const shortestSweepMs = 25
