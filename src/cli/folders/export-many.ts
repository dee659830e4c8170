import { rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Problem } from '../../protocol/problems.js'
import { Exit } from '../exit-codes.js'
import { openHttpClient } from '../http-client.js'
import { openProgress } from '../progress.js'
import type { Session } from '../session.js'
import { cacheFolder, stateFolder } from '../settings.js'
import { accountKey } from '../token.js'
import type { OwnJob } from '../transfers/own-job.js'
import type { Pace, TransferTools } from '../transfers/tools.js'
import { openDigestCache } from './digest-cache.js'
import { EmptyFolders } from './empty-folders.js'
import { compareExports, type ExportComparison } from './export-compare.js'
import { exportFolder } from './export-folder.js'
import { noFolderProgress, openFolderProgress } from './folder-progress.js'
import { removeLocal } from './local-removal.js'
import { type LocalTarget, openLocalTarget } from './local-target.js'
import type { NameFilter } from './name-filter.js'
import { emptyRemoteFolders } from './remote-list.js'
import { TransferReport } from './transfer-report.js'

export interface ManyExports {
  /** The prefix on the server. */
  readonly prefix: string
  /** The folder here. */
  readonly folder: string
  readonly filter: NameFilter
  readonly pace: Pace
  readonly transfers: number
  readonly checksum: boolean
  /** Whether files that differ are replaced. */
  readonly replaces: boolean
  /** Removes local files that the server does not have. */
  readonly deletes: boolean
  readonly isDryRun: boolean
  readonly verbose: boolean
  /** The start of the summary line, such as `Exported photos/ to backup/photos`. */
  readonly title: string
  /** Whether a prefix without files is an error. */
  readonly mustExist: boolean
}

/** Exports a folder as one job, or without one if no file is fetched. Returns the exit code of the first failure. */
export async function exportMany(session: Session, exported: ManyExports, job: OwnJob): Promise<number | undefined> {
  const { context, output, server } = session
  const { prefix, title, verbose } = exported
  const token = await session.token()
  const report = new TransferReport(output, context.env, { title, verbose, name: prefix })
  const http = await openHttpClient(server, token, session.userAgent)
  const tools = { http, api: await session.api(), progress: await openProgress(output), note: output.note }
  const unfinished = join(await stateFolder(), 'exports')
  try {
    await run({ session, tools, exported, report, unfinished, owner: accountKey(token) }, job)
  } finally {
    http.close()
  }
  return report.exit
}

interface Running {
  readonly session: Session
  readonly tools: TransferTools
  readonly exported: ManyExports
  readonly report: TransferReport
  readonly unfinished: string
  readonly owner: string
}

async function run(running: Running, job: OwnJob): Promise<void> {
  const { session, tools, exported, report, unfinished, owner } = running
  const { prefix, pace, transfers, replaces, deletes, isDryRun, folder, filter, mustExist, verbose } = exported
  tools.progress.say(`${prefix}: comparing it with the files here`)
  let jobId: string | null = null
  try {
    const target = openLocalTarget(folder, isDryRun ? false : undefined)
    const comparison = await compare(running, target, job)
    const folders = new EmptyFolders({ prefix, folder, filter, target, report })
    folders.expect(await emptyRemoteFolders(tools, prefix, job.signal))
    tools.progress.end()
    const extra = comparison.extra.filter(({ path }) => !target.isTaken(path))
    if (mustExist && isNothing(report, comparison) && folders.isNone)
      throw new Problem('file-not-found', `There are no files below ${prefix}.`)
    if (isDryRun) {
      for (const { name, size, status } of [...comparison.items, ...(deletes ? extra.map(asRemoved) : [])]) {
        report.file({ name, size, status })
      }
      folders.preview(deletes ? comparison : undefined)
      return report.end(null)
    }
    for (const path of comparison.leftOver) rmSync(path, { force: true })
    if (comparison.items.length > 0) {
      const progress = verbose ? noFolderProgress : await openFolderProgress(session.output)
      report.beforeText = () => progress.clear()
      const source = { server: session.server, owner }
      const plan = { prefix, title: prefix || 'all files', comparison, pace, transfers, replaces, source }
      await exportFolder(plan, { tools, report, progress, target, unfinished }, job)
      jobId = job.id
    }
    if (deletes) removeLocal(folder, extra, report)
    if (deletes) folders.removeOthers(comparison.folders)
    folders.create()
  } catch (error) {
    tools.progress.end()
    // A transfer that was stopped may fail before the receipt arrives, which then is the summary.
    await job.checkpoint()
    if (!(error instanceof Exit)) report.end(job.begun ? job.id : null)
    throw error
  }
  report.end(jobId)
}

async function compare(running: Running, target: LocalTarget, job: OwnJob): Promise<ExportComparison> {
  const { session, tools, exported, report } = running
  const { prefix, folder, filter, checksum, replaces, deletes } = exported
  const place = join(await cacheFolder(), 'digests')
  const cache = openDigestCache(place, [session.server, resolve(folder), prefix])
  try {
    const options = { prefix, folder, filter, checksum, replaces, lists: deletes }
    return await compareExports(options, { tools, report, cache, target, signal: job.signal })
  } finally {
    cache.close()
  }
}

function isNothing(report: TransferReport, { items }: ExportComparison): boolean {
  return items.length + report.files + report.counts.failed === 0
}

function asRemoved<T extends { name: string; size: number }>({ name, size }: T) {
  return { name, size, status: 'removed' as const }
}
