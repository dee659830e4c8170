import { join, resolve } from 'node:path'
import { Exit, Failure } from '../exit-codes.js'
import { openProgress } from '../progress.js'
import type { Session } from '../session.js'
import { cacheFolder } from '../settings.js'
import type { OwnJob } from '../transfers/own-job.js'
import type { UploadTools } from '../transfers/upload.js'
import type { UploadOptions } from '../transfers/upload-options.js'
import { openUploadTools } from '../transfers/upload-tools.js'
import { type DigestCache, openDigestCache } from './digest-cache.js'
import { compareFolders, type FolderComparison } from './folder-compare.js'
import { noFolderProgress, openFolderProgress } from './folder-progress.js'
import type { NameFilter } from './name-filter.js'
import { createRemoteFolders, removeRemote, removeRemoteFolders } from './remote-removal.js'
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
  /** Removes remote files that are missing here; with `isTogether`, in the same step. */
  readonly deletes: boolean
  /** Only prints what would be done. */
  readonly isDryRun: boolean
  readonly verbose: boolean
  /** The start of the summary line, such as `Uploaded photos`. */
  readonly title: string
}

/** Uploads folders and files as one job, or without one if no file is sent. Returns the exit code of the first failure. */
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
    const folders = await compareEmptyFolders(running, comparison, job.signal)
    tools.progress.end()
    for (const { name, fault } of folders.faulty) report.fail(name, new Failure('wrongUse', `The name ${fault}.`))
    if (isTogether && report.counts.failed > 0) throw nothingPublished(report)
    const removes = deletes && isRemovable(running, comparison, folders)
    if (isDryRun) return preview(comparison, folders, removes, report)
    const replaces = removes && isTogether && comparison.extra.length > 0
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
    await createRemoteFolders(tools, folders.missing, report, job.signal)
    if (removes) {
      const findExtra = async () => (await compareEmptyFolders(running, comparison, job.signal)).extra
      await removeRemoteFolders(tools, findExtra, report, job.signal)
    }
  } catch (error) {
    tools.progress.end()
    // A transfer that was stopped may fail before the receipt arrives, which then is the summary.
    await job.checkpoint()
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

async function compareEmptyFolders(
  { tools, uploads }: Running,
  { folders }: UploadComparison,
  signal: AbortSignal,
): Promise<FolderComparison> {
  const { sources, filter, deletes } = uploads
  const all: FolderComparison = { missing: [], extra: [], faulty: [] }
  for (const { prefix } of sources.folders) {
    const own = folders.filter(({ name }) => name.startsWith(prefix))
    const compared = await compareFolders(tools, { prefix, folders: own, filter, lists: deletes }, signal)
    all.missing.push(...compared.missing)
    all.extra.push(...compared.extra)
    all.faulty.push(...compared.faulty)
  }
  return all
}

/** Whether remote files may be removed: not if a local folder could not be read, because its contents are unknown. */
function isRemovable(
  { session }: Running,
  { isComplete, extra }: UploadComparison,
  folders: FolderComparison,
): boolean {
  if (isComplete && folders.faulty.length === 0) return true
  if (extra.length > 0) {
    const files = `${formatCount(extra.length)} ${extra.length === 1 ? 'file' : 'files'}`
    session.output.note(`Kept ${files} that only the server has, because not everything here could be read.`)
  }
  return false
}

function preview(
  { items, extra }: UploadComparison,
  folders: FolderComparison,
  removes: boolean,
  report: TransferReport,
): void {
  for (const { name, size, status } of items) report.file({ name, size, status })
  for (const name of folders.missing) report.folder(name, 'new')
  if (removes) {
    for (const { name, size } of extra) report.file({ name, size, status: 'removed' })
    for (const name of folders.extra) report.folder(name, 'removed')
  }
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
