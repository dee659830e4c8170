import { resolve } from 'node:path'
import { isFull } from '../../protocol/file-errors.js'
import { parsePublished } from '../../protocol/routes.js'
import { wordNoRoom } from '../no-room.js'
import { wordEnd } from '../transfers/broken-connection.js'
import { exportFile } from '../transfers/export.js'
import { howToGoOn, type OwnJob } from '../transfers/own-job.js'
import { Retries } from '../transfers/retries.js'
import { openTarget } from '../transfers/targets.js'
import type { Pace, TransferTools } from '../transfers/tools.js'
import { openTransferState } from '../transfers/transfer-state.js'
import type { ExportComparison, ExportedItem } from './export-compare.js'
import type { Amount, FolderProgress } from './folder-progress.js'
import { endsAll, lanes, runStreams, untilFinished } from './job-attempts.js'
import { streamOf } from './job-stream.js'
import { keepTime, type LocalTarget } from './local-target.js'
import { OpenJob } from './open-job.js'
import { fetchSmallFiles } from './small-fetcher.js'
import { smallFileBytes } from './small-sender.js'
import type { TransferReport } from './transfer-report.js'

export interface FolderExport {
  /** The prefix on the server. */
  readonly prefix: string
  readonly title: string
  readonly comparison: ExportComparison
  readonly pace: Pace
  /** The number of large files to transfer at a time. */
  readonly transfers: number
  /** Whether files that differ are replaced. */
  readonly replaces: boolean
  readonly source: { readonly server: string; readonly owner: string }
}

export interface FolderExportTools {
  readonly tools: TransferTools
  readonly report: TransferReport
  readonly progress: FolderProgress
  readonly target: LocalTarget
  /** The folder with the resume states of exports. */
  readonly unfinished: string
}

/** Exports the files of a comparison as one job. Files fail alone; throws an error that ends the job. */
export async function exportFolder(exported: FolderExport, context: FolderExportTools, job: OwnJob): Promise<void> {
  const run = new FolderExportRun(exported, context, job)
  try {
    await run.run()
  } catch (error) {
    await run.leave()
    throw wordEnd(error, context.tools.http.server, 'export', exported.title, howToGoOn)
  } finally {
    context.progress.end()
    context.tools.progress.end()
  }
}

class FolderExportRun {
  readonly #export: FolderExport
  readonly #context: FolderExportTools
  readonly #job: OwnJob
  readonly #open: OpenJob
  readonly #retries: Retries
  #isCounted = false
  #done: Amount = { files: 0, bytes: 0 }

  constructor(exported: FolderExport, context: FolderExportTools, job: OwnJob) {
    this.#export = exported
    this.#context = context
    this.#job = job
    const { comparison, prefix, title, pace } = exported
    const { files, bytes } = totalOf(comparison)
    const request = { kind: 'export', name: prefix, files, totalBytes: bytes } as const
    this.#open = new OpenJob(context.tools, job, { title, request }, pace)
    this.#retries = new Retries(pace.retries)
  }

  run(): Promise<void> {
    return untilFinished({
      name: this.#export.title,
      tools: this.#context.tools,
      open: this.#open,
      retries: this.#retries,
      signal: this.#job.signal,
      attempt: () => this.#attempt(),
      startOver: () => {
        this.#isCounted = false
      },
    })
  }

  /** Ends the job on the server after an error. */
  leave(): Promise<void> {
    return this.#open.leave()
  }

  async #attempt(): Promise<void> {
    const { comparison } = this.#export
    const { tools, progress } = this.#context
    const { unchanged } = comparison
    await this.#open.open()
    if (!this.#isCounted) await this.#open.countUnchanged(unchanged.files, unchanged.bytes)
    this.#isCounted = true
    tools.progress.end()
    progress.begin(totalOf(comparison), {
      files: unchanged.files + this.#done.files,
      bytes: unchanged.bytes + this.#done.bytes,
    })
    await this.#fetch()
    await this.#open.finish()
  }

  /** Fetches the remaining files. */
  async #fetch(): Promise<void> {
    const { comparison, prefix, transfers } = this.#export
    const { tools } = this.#context
    const left = comparison.items.filter(({ isDone }) => !isDone)
    // Published files of another account cannot be requested as an archive of selected files.
    const isSmall = ({ size }: ExportedItem) => size <= smallFileBytes && !parsePublished(prefix)
    const small = left.filter(isSmall)
    const large = left.filter((item) => !isSmall(item))
    const fetched = {
      store: (item: ExportedItem, content: Buffer, sha256: string) => this.#store(item, content, sha256),
      failed: (item: ExportedItem, error: unknown) => this.#fail(item, error),
    }
    await runStreams(this.#job.signal, [
      (signal) => fetchSmallFiles(tools, this.#job.id, small, fetched, signal),
      async (signal) => {
        await lanes(large, transfers, (item) => this.#fetchLarge(item, signal))
      },
    ])
  }

  #store(item: ExportedItem, content: Buffer, sha256: string): void {
    const { target, progress } = this.#context
    target.writeFile(item.path, content, { replaces: item.status === 'replaced', modifiedAt: timeOf(item) })
    progress.file(content.length)
    this.#succeed(item, content.length, sha256)
  }

  async #fetchLarge(item: ExportedItem, signal: AbortSignal): Promise<void> {
    const { tools, target, progress, unfinished } = this.#context
    const { pace, source } = this.#export
    const { name, path, status } = item
    try {
      target.createFolders(path)
      const destination = {
        open: (isOurs: boolean) => openTarget(path, { force: status === 'replaced', isOurs }),
        transferState: openTransferState(unfinished, [resolve(path)]),
      }
      const stream = { ...tools, progress: progress.part() }
      const options = { ...pace, rateLimit: null }
      const { bytes, sha256 } = await exportFile(
        stream,
        { ...source, name },
        destination,
        options,
        streamOf(this.#job, signal),
      )
      keepTime(path, timeOf(item))
      progress.file(0)
      this.#succeed(item, bytes, sha256)
    } catch (error) {
      signal.throwIfAborted()
      if (endsAll(error)) throw error
      this.#fail(item, error)
    }
  }

  #succeed(item: ExportedItem, size: number, sha256: string): void {
    item.isDone = true
    this.#done = { files: this.#done.files + 1, bytes: this.#done.bytes + size }
    this.#retries.reached(this.#done.bytes)
    this.#context.report.file({ name: item.name, status: item.status, size, sha256 })
  }

  /** Throws if the local disk is full, because then no other file can be written either. */
  #fail(item: ExportedItem, error: unknown): void {
    if (isFull(error)) wordNoRoom(item.path)(error)
    item.isDone = true
    this.#context.report.fail(item.name, error)
  }
}

function timeOf({ uploadedAt }: ExportedItem): Date | undefined {
  const time = new Date(uploadedAt ?? Number.NaN)
  return Number.isNaN(time.getTime()) ? undefined : time
}

function totalOf({ unchanged, items }: ExportComparison): Amount {
  return { files: unchanged.files + items.length, bytes: items.reduce((sum, { size }) => sum + size, unchanged.bytes) }
}
