import { Problem } from '../../protocol/problems.js'
import { Failure, formatFailure } from '../exit-codes.js'
import { wordEnd } from '../transfers/broken-connection.js'
import { howToGoOn, type OwnJob } from '../transfers/own-job.js'
import { Retries } from '../transfers/retries.js'
import type { UploadTools } from '../transfers/upload.js'
import { upload } from '../transfers/upload.js'
import { preconditionHeaders, type UploadOptions } from '../transfers/upload-options.js'
import type { DigestCache } from './digest-cache.js'
import type { Amount, FolderProgress } from './folder-progress.js'
import { endsAll, lanes, runStreams, untilFinished } from './job-attempts.js'
import { streamOf } from './job-stream.js'
import { OpenJob } from './open-job.js'
import { type SentFiles, sendSmallFiles, smallFileBytes } from './small-sender.js'
import { formatCount, type TransferReport } from './transfer-report.js'
import type { PendingUpload, UploadComparison } from './upload-compare.js'
import { isSameState, localFile } from './walk.js'

export interface FolderUpload {
  /** The prefix of all names. */
  readonly prefix: string
  readonly title: string
  readonly comparison: UploadComparison
  readonly options: UploadOptions
  /** The number of large files to transfer at a time. */
  readonly transfers: number
  readonly isTogether: boolean
  /** Removes remote files that are not part of the upload, in the same step; requires `isTogether`. */
  readonly replaces: boolean
}

export interface FolderUploadTools {
  readonly tools: UploadTools
  readonly report: TransferReport
  readonly progress: FolderProgress
  /** The cache for a file of this name; undefined if it is not in a folder. */
  cacheOf(name: string): DigestCache | undefined
}

/** Uploads the files of a comparison as one job. Files fail alone; throws an error that ends the job. */
export async function uploadFolder(uploaded: FolderUpload, context: FolderUploadTools, job: OwnJob): Promise<void> {
  const run = new FolderUploadRun(uploaded, context, job)
  try {
    await run.run()
  } catch (error) {
    await run.leave()
    throw wordEnd(error, context.tools.http.server, 'upload', uploaded.title, howToGoOn)
  } finally {
    context.progress.end()
    context.tools.progress.end()
  }
}

class FolderUploadRun {
  readonly #upload: FolderUpload
  readonly #context: FolderUploadTools
  readonly #job: OwnJob
  readonly #open: OpenJob
  readonly #retries: Retries
  readonly #failed: { name: string; code: string; message: string }[] = []
  #isCounted = false
  #done: Amount = { files: 0, bytes: 0 }

  constructor(uploaded: FolderUpload, context: FolderUploadTools, job: OwnJob) {
    this.#upload = uploaded
    this.#context = context
    this.#job = job
    const { comparison, prefix, title, isTogether, replaces, options } = uploaded
    const total = totalOf(comparison)
    const plan = { kind: 'upload', name: prefix, files: total.files, totalBytes: total.bytes } as const
    const how = isTogether ? ({ publish: 'together', replace: replaces } as const) : {}
    this.#open = new OpenJob(context.tools, job, { title, request: { ...plan, ...how } }, options)
    this.#retries = new Retries(options.retries)
  }

  run(): Promise<void> {
    return untilFinished({
      name: this.#upload.title,
      tools: this.#context.tools,
      open: this.#open,
      retries: this.#retries,
      signal: this.#job.signal,
      attempt: () => this.#attempt(),
      startOver: () => this.#startOver(),
    })
  }

  /** Ends the job on the server after an error. */
  leave(): Promise<void> {
    return this.#open.leave()
  }

  async #attempt(): Promise<void> {
    const { comparison, replaces, isTogether, title } = this.#upload
    const { tools, progress, report } = this.#context
    const { unchanged } = comparison
    await this.#open.open()
    if (!this.#isCounted && replaces) await this.#open.listUnchanged(comparison.kept)
    else if (!this.#isCounted) await this.#open.countUnchanged(unchanged.files, unchanged.bytes)
    this.#isCounted = true
    tools.progress.end()
    progress.begin(totalOf(comparison), {
      files: unchanged.files + this.#done.files,
      bytes: unchanged.bytes + this.#done.bytes,
    })
    await this.#send()
    progress.end()
    if (isTogether && this.#failed.length > 0) throw nothingPublished(report)
    await this.#open.listFailed(this.#failed.splice(0))
    tools.progress.say(`${title}: waiting for the server to finish`)
    await this.#open.finish()
  }

  /** Sends all files that are not confirmed yet. */
  async #send(): Promise<void> {
    const { comparison, options, prefix, transfers } = this.#upload
    const left = comparison.items.filter(({ isDone }) => !isDone)
    const small = left.filter(({ size }) => size <= smallFileBytes)
    const large = left.filter(({ size }) => size > smallFileBytes)
    const target = { prefix, jobId: this.#job.id, headers: preconditionHeaders(options) }
    await runStreams(this.#job.signal, [
      async (signal) => {
        if (small.length > 0) await sendSmallFiles(this.#context.tools, target, small, this.#sent, signal)
      },
      async (signal) => {
        await lanes(large, transfers, (item) => this.#sendLarge(item, signal))
      },
    ])
  }

  readonly #sent: SentFiles = {
    done: (item, { file, sha256, readAtMs }) => {
      this.#context.cacheOf(item.name)?.add(file, sha256, readAtMs)
      this.#context.progress.file(file.size)
      this.#succeed(item, file.size, sha256)
    },
    failed: (item, error) => this.#fail(item, error),
  }

  async #sendLarge(item: PendingUpload, signal: AbortSignal): Promise<void> {
    const { tools, progress, cacheOf } = this.#context
    const { name, path } = item
    try {
      const readAtMs = Date.now()
      const before = localFile(path, name)
      const stream = { ...tools, progress: progress.part() }
      // The limit of the job applies; it may have been changed meanwhile.
      const options = { ...this.#upload.options, rateLimit: null }
      const { size, sha256 } = await upload(stream, { name, path }, options, streamOf(this.#job, signal))
      if (sha256 !== null && isSameState(before, localFile(path, name))) cacheOf(name)?.add(before, sha256, readAtMs)
      progress.file(0)
      this.#succeed(item, size, sha256)
    } catch (error) {
      signal.throwIfAborted()
      if (endsAll(error)) throw error
      this.#fail(item, error)
    }
  }

  #succeed(item: PendingUpload, size: number, sha256: string | null): void {
    item.isDone = true
    this.#done = { files: this.#done.files + 1, bytes: this.#done.bytes + size }
    this.#retries.reached(this.#done.bytes)
    this.#context.report.file({ name: item.name, status: item.status, size, sha256 })
  }

  #fail(item: PendingUpload, error: unknown): void {
    item.isDone = true
    const code = error instanceof Problem ? error.code : 'not-accessible'
    this.#failed.push({ name: item.name, code, message: formatFailure(error) })
    this.#context.report.fail(item.name, error)
  }

  #startOver(): void {
    this.#isCounted = false
    if (!this.#upload.isTogether) return
    // Staged files are lost with the job.
    for (const item of this.#upload.comparison.items) item.isDone = false
    this.#done = { files: 0, bytes: 0 }
    this.#context.report.restart()
  }
}

/** The error if a file fails and all or none are published. Its exit code is that of the first failure. */
export function nothingPublished({ counts, exit }: TransferReport): Failure {
  const words = `Nothing was published: ${formatCount(counts.failed)} of the files failed, and --together publishes all or none.`
  return Object.assign(new Failure('unexpected', words), { exit })
}

function totalOf({ unchanged, items }: UploadComparison): Amount {
  return { files: unchanged.files + items.length, bytes: items.reduce((sum, { size }) => sum + size, unchanged.bytes) }
}
