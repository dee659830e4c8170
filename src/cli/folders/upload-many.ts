import { join, resolve } from 'node:path'
import { Exit } from '../exit-codes.js'
import { openProgress } from '../progress.js'
import type { Session } from '../session.js'
import { cacheFolder } from '../settings.js'
import type { OwnJob } from '../transfers/own-job.js'
import type { UploadTools } from '../transfers/upload.js'
import type { UploadOptions } from '../transfers/upload-options.js'
import { openUploadTools } from '../transfers/upload-tools.js'
import { type DigestCache, openDigestCache } from './digest-cache.js'
import { noFolderProgress, openFolderProgress } from './folder-progress.js'
import type { NameFilter } from './name-filter.js'
import { removeRemote } from './remote-removal.js'
import { formatCount, TransferReport } from './transfer-report.js'
import { compareUploads, type UploadComparison } from './upload-compare.js'
import { nothingPublished, uploadFolder } from './upload-folder.js'
import type { UploadSources } from './upload-sources.js'
import type { WalkedFolder } from './walk.js'

export interface ManyUploads {
  readonly sources: UploadSources
  readonly filter: NameFilter
  readonly options: UploadOptions
  readonly transfers: number
  readonly checksum: boolean
  readonly isTogether: boolean
  /** Removes what is on the server and not here: with `isTogether` in the same step. */
  readonly deletes: boolean
  /** Only tells what would be done. */
  readonly isDryRun: boolean
  readonly verbose: boolean
  /** What was done with what, for the line at the end. */
  readonly title: string
}

/** Uploads folders and files as one job at most. Returns the exit code of the first file that failed. */
export async function uploadMany(session: Session, uploads: ManyUploads, job: OwnJob): Promise<number | undefined> {
  const { context, output } = session
  const { title, verbose, sources } = uploads
  const report = new TransferReport(output, context.env, { title, verbose, name: sources.prefix })
  const tools = await openUploadTools(session, await openProgress(output))
  const caches = await openCaches(session.server)
  try {
    await run({ session, tools, uploads, report, caches }, job)
  } finally {
    caches.close()
    tools.http.close()
  }
  return report.exit
}

interface Running {
  readonly session: Session
  readonly tools: UploadTools
  readonly uploads: ManyUploads
  readonly report: TransferReport
  readonly caches: Caches
}

async function run(running: Running, job: OwnJob): Promise<void> {
  const { session, tools, uploads, report, caches } = running
  const { sources, options, transfers, isTogether, deletes, isDryRun } = uploads
  tools.progress.say(`${sources.title}: comparing it with the server`)
  let jobId: string | null = null
  try {
    const comparison = await compare(running, job)
    tools.progress.end()
    if (isTogether && report.counts.failed > 0) throw nothingPublished(report)
    const removes = deletes && comparison.extra.length > 0 && isRemovable(running, comparison)
    if (isDryRun) return preview(comparison, removes, report)
    const replaces = removes && isTogether
    if (comparison.items.length > 0 || replaces) {
      const upload = {
        prefix: sources.prefix,
        title: sources.title,
        comparison,
        options,
        transfers,
        isTogether,
        replaces,
      }
      const progress = uploads.verbose ? noFolderProgress : await openFolderProgress(session.output)
      report.beforeText = () => progress.clear()
      await uploadFolder(upload, { tools, report, progress, cacheOf: (name) => caches.of(name) }, job)
      jobId = job.id
    }
    if (replaces) for (const { name, size } of comparison.extra) report.file({ name, size, status: 'removed' })
    else if (removes) await removeRemote(tools, comparison.extra, report, job.signal)
  } catch (error) {
    tools.progress.end()
    if (!(error instanceof Exit)) report.end(job.begun ? job.id : null)
    throw error
  }
  report.end(jobId)
}

function compare({ tools, uploads, report, caches }: Running, job: OwnJob): Promise<UploadComparison> {
  const { sources, filter, checksum, options, deletes } = uploads
  const { keepExisting } = options
  const settings = { filter, checksum, keepExisting, lists: deletes }
  const cacheOf = caches.open
  return compareUploads(sources, settings, { tools, report, cacheOf, signal: job.signal })
}

/** A folder that could not be read says nothing about what was in it. */
function isRemovable({ session }: Running, { isComplete, extra }: UploadComparison): boolean {
  if (isComplete) return true
  session.output.note(`${formatCount(extra.length)} more on the server stay: not everything here could be read.`)
  return false
}

function preview({ items, extra }: UploadComparison, removes: boolean, report: TransferReport): void {
  for (const { name, size, status } of items) report.file({ name, size, status })
  if (removes) for (const { name, size } of extra) report.file({ name, size, status: 'removed' })
  report.end(null)
}

interface Caches {
  open(folder: WalkedFolder): DigestCache
  /** The cache that a file of this name belongs to. */
  of(name: string): DigestCache | undefined
  close(): void
}

async function openCaches(server: string): Promise<Caches> {
  const place = join(await cacheFolder(), 'digests')
  const opened: { prefix: string; cache: DigestCache }[] = []
  return {
    open({ path, prefix }) {
      const cache = openDigestCache(place, [server, resolve(path), prefix])
      opened.push({ prefix, cache })
      return cache
    },
    of: (name) => opened.find(({ prefix }) => name.startsWith(prefix))?.cache,
    close() {
      for (const { cache } of opened) cache.close()
    },
  }
}
