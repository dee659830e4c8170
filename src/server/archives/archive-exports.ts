import type { ArchiveFormat } from '../../protocol/archives.js'
import type { Problem } from '../../protocol/problems.js'
import type { Clock } from '../clock.js'
import type { FolderJobs } from '../folders/folder-jobs.js'
import { checkHasNoJobId } from '../folders/job-id-check.js'
import type { Job } from '../jobs/job.js'
import { type JobRequest, queueWaitOf } from '../jobs/job-request.js'
import type { Jobs } from '../jobs/jobs.js'
import { asProblem } from '../jobs/outcome.js'
import { type JobRun, runJob } from '../jobs/run-job.js'
import type { Throttle } from '../jobs/throttle.js'
import { accountName } from '../stores/accounts.js'
import type { PublishedFiles } from '../stores/files.js'
import { BufferPool } from '../transfers/buffers.js'
import type { ExportOutput } from '../transfers/export-output.js'
import type { RecentStops } from '../transfers/recent-stops.js'
import { streamExport } from '../transfers/stream-export.js'
import { ArchiveSending, type SentFile } from './archive-sending.js'
import { checkSelection, measureSelection, type Selection } from './selection.js'
import { TarWriter } from './tar-writer.js'
import { ZipWriter } from './zip-writer.js'

export interface ArchiveExportServices {
  files: PublishedFiles
  jobs: Jobs
  folders: Pick<FolderJobs, 'join'>
  clock: Clock
  idleTimeoutMs: number
  throttleOf(account: string): Throttle
  stopped: RecentStops
  /** Called with server errors while an archive is being sent: the client only sees a broken connection. */
  onFailure(error: unknown): void
}

/** What an archive is to hold, and the options of its job. */
export interface ArchiveOrder extends JobRequest {
  /** The account of the job, if it is not the requester's: a share. */
  account?: string
  /** How long the client may read nothing, if shorter than the default idle timeout. */
  silenceMs?: number
  /** The name of the job: a prefix of the names. */
  name: string
  selection: Selection
  format: ArchiveFormat
  /** See `TarOptions`. */
  digests: boolean
  /** Bytes of files per second; null for no limit. */
  rateLimit: number | null
}

export interface ArchiveRequest extends ArchiveOrder, ExportOutput {
  /** The job of many files that it belongs to; null for a job of its own. */
  partOf: string | null
  /** The program, if it may retry an interrupted request: see `ExportReader`. */
  repeater: string | null
}

/** Sends many files as one archive: check → claim → head → pages of the list → files → flow → response → done. */
export class ArchiveExports {
  readonly #services: ArchiveExportServices
  readonly #pool = new BufferPool()

  constructor(services: ArchiveExportServices) {
    this.#services = services
  }

  /** Throws `file-not-found` for what does not exist, and `file-damaged`. */
  check(selection: Selection): Promise<void> {
    return checkSelection(this.#services.files, selection)
  }

  /**
   * Claims a slot, sends the archive and ends the response; resolves whatever the outcome, with whether all of it was sent. Throws only before the first byte
   * is written: like `check`, `job-stopped` if the client retries an export that was just stopped, and the errors of
   * `Jobs.admit` and `begin`.
   */
  async send(request: ArchiveRequest): Promise<boolean> {
    const { identity, name, selection } = request
    // What reads small files may have to start first: it does so while they are listed.
    this.#services.files.readSmall(selection.space, []).catch(() => {})
    if (request.partOf !== null) return this.#sendPart(request.partOf, request)
    const reader = { sessionId: identity.sessionId, name: `${name}\n${request.format}`, repeater: request.repeater }
    await this.#services.stopped.check(reader, 0)
    await this.check(selection)
    let hasBegun = false
    const { job, result } = await runJob(this.admit(request), async (run) => {
      const begin = (job: Job) => {
        request.begin(job)
        hasBegun = true
      }
      await this.sendIn(run, { ...request, begin })
    })
    return result.then(
      () => true,
      (problem: Problem) => {
        if (!hasBegun) throw problem
        this.#services.stopped.remember(reader, job)
        if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
        return false
      },
    )
  }

  /** The job of an archive. Throws like `Jobs.admit`. */
  admit(order: ArchiveOrder): ReturnType<Jobs['admit']> {
    const { identity, name: file, jobId: id, rateLimit } = order
    const owner = { accountId: identity.account.id, account: order.account ?? accountName(identity.account) }
    const plan = { kind: 'export' as const, id, ...owner, file, files: { total: null }, rateLimit }
    return this.#services.jobs.admit(plan, queueWaitOf(order))
  }

  /** Sends the archive in its job, which runs, and ends the response. Throws why the job fails. */
  async sendIn(run: JobRun, request: ArchiveRequest): Promise<void> {
    const { job } = run
    request.begin(job)
    void this.#correctTotals(job, request.selection)
    await this.#send(run, request, (file) => job.countFiles((tally) => tally.count(file)))
  }

  /** Like `send`, as one stream of a job of many files, which counts them. */
  async #sendPart(partOf: string, request: ArchiveRequest): Promise<boolean> {
    const { names, prefixes } = request.selection
    let hasBegun = false
    try {
      checkHasNoJobId(request)
      await this.#services.folders.join(partOf, { ...request, kind: 'export', name: null }, async (stream) => {
        for (const name of [...prefixes, ...names]) stream.checkName(name)
        await this.check(request.selection)
        request.begin(stream.job)
        hasBegun = true
        await this.#send(stream, request, (file) => stream.fileDone(file))
      })
      return true
    } catch (error) {
      if (!hasBegun) throw error
      const problem = asProblem(error)
      if (problem.code === 'internal') this.#services.onFailure(problem.cause ?? problem)
      return false
    }
  }

  /** `run`: of a job of its own, or one stream of a job of many files. */
  #send(run: JobRun, request: ArchiveRequest, fileDone: (file: SentFile) => void): Promise<void> {
    const { files, clock, idleTimeoutMs, throttleOf } = this.#services
    const { selection, response, silenceMs = Number.POSITIVE_INFINITY } = request
    const limits = { idleTimeoutMs: Math.min(idleTimeoutMs, silenceMs), throttleOf }
    const now = clock.now()
    const writer = request.format === 'tar' ? new TarWriter({ now, digests: request.digests }) : new ZipWriter(now)
    return streamExport(run, request, limits, (flow) =>
      new ArchiveSending({ files, selection, writer, response, flow, fileDone, pool: this.#pool }).send(),
    )
  }

  /** Counts a large folder while it is being sent. */
  async #correctTotals(job: Job, selection: Selection): Promise<void> {
    const total = await measureSelection(this.#services.files, selection).catch(() => undefined)
    if (total && !job.isEnded) job.correctTotals({ files: total.files, totalBytes: total.bytes })
  }
}
