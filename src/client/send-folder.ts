import { faultOfName } from '../protocol/file-name.js'
import type { FileRecord } from '../protocol/files.js'
import type { Publication } from '../protocol/folder-jobs.js'
import { filePath, jobHeader, jobPath, routes } from '../protocol/routes.js'
import { newUuid } from '../protocol/uuid.js'
import type { StreamingApi } from './api.js'
import { openDigest } from './digests.js'
import { FilejobsError } from './errors.js'
import { listFiles } from './listing.js'
import { nodeModule } from './node-modules.js'
import { abandonJob, type TransferJob } from './stoppable-job.js'
import { awaitSlot, rateHeaders, type TransferOptions, waitHeaders } from './transfer-options.js'
import { uploadSource } from './upload.js'
import { openPath } from './upload-source.js'

export interface SyncOptions extends TransferOptions {
  /** Removes files on the server that are not in the folder; default false. */
  delete?: boolean | undefined
}

/** What a sync has changed. */
export interface SyncResult extends Publication {
  readonly jobId: string
  /** Files that could not be sent. */
  readonly failures: readonly { readonly name: string; readonly error: Error }[]
}

interface LocalFile {
  readonly path: string
  readonly name: string
  readonly size: number
}

/** Files that are sent at the same time. */
const transfers = 4

/**
 * Makes `prefix` on the server like the folder, as one job: sends the files whose size or SHA-256 differ. Symbolic links, special
 * files and empty folders are left out. A file that fails does not end the others; then nothing is removed.
 */
export async function sendFolder(
  api: StreamingApi,
  folder: string,
  prefix: string,
  options: SyncOptions,
  job: TransferJob,
): Promise<SyncResult> {
  const local = await walk(folder, prefix)
  const remote = new Map<string, FileRecord>()
  for await (const file of listFiles(api, prefix)) remote.set(file.name, file)
  const totalBytes = local.reduce((sum, { size }) => sum + size, 0)
  await openJob(api, { name: prefix, files: local.length, totalBytes }, options, job)
  try {
    return await sendInJob(api, { local, remote, totalBytes }, options, job)
  } catch (error) {
    await abandonJob(api, job)
    throw error
  }
}

interface FolderContent {
  local: readonly LocalFile[]
  /** By name. */
  remote: ReadonlyMap<string, FileRecord>
  /** Of `local`. */
  totalBytes: number
}

async function sendInJob(
  api: StreamingApi,
  { local, remote, totalBytes }: FolderContent,
  options: SyncOptions,
  job: TransferJob,
): Promise<SyncResult> {
  const failures: { name: string; error: Error }[] = []
  const unchanged: LocalFile[] = []
  let bytes = 0
  const advance = (more: number) => {
    bytes += more
    options.onProgress?.({ bytes, totalBytes, jobId: job.id })
  }
  advance(0)
  const queue = local.values()
  const work = async () => {
    for (const file of queue) {
      job.signal.throwIfAborted()
      try {
        if (await isSame(file, remote.get(file.name))) {
          unchanged.push(file)
          advance(file.size)
        } else await send(api, file, options, job, advance)
      } catch (error) {
        job.signal.throwIfAborted()
        if (endsAll(error)) throw error
        failures.push({ name: file.name, error: error as Error })
      }
    }
  }
  await Promise.all(Array.from({ length: transfers }, work))

  await report(api, job, unchanged, failures)
  const removed = options.delete && failures.length === 0 ? await removeOthers(api, local, remote, job) : 0
  const { published } = await api.send<{ published: Publication }>('POST', jobPath(job.id, 'finish'), {
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: job.signal,
  })
  return { ...published, removed, jobId: job.id, failures }
}

async function openJob(
  api: StreamingApi,
  content: { name: string; files: number; totalBytes: number },
  options: SyncOptions,
  job: TransferJob,
): Promise<void> {
  await awaitSlot(options.waitSeconds ?? 0, job.signal, (seconds) =>
    api.send('POST', routes.jobs, {
      json: { kind: 'upload', ...content },
      headers: { [jobHeader]: job.id, ...waitHeaders(seconds), ...rateHeaders(options) },
      timeoutMs: Number.POSITIVE_INFINITY,
      signal: job.signal,
    }),
  )
}

async function send(
  api: StreamingApi,
  { path, name }: LocalFile,
  { retries }: SyncOptions,
  { id, signal }: TransferJob,
  advance: (bytes: number) => void,
): Promise<void> {
  const fault = faultOfName(name)
  if (fault) throw new FilejobsError('invalid-request', `The name ${name} ${fault}.`)
  const source = await openPath(path)
  let sent = 0
  const onProgress = ({ bytes }: { bytes: number }) => {
    advance(bytes - sent)
    sent = bytes
  }
  try {
    await uploadSource(api, source, { name, retries, onProgress }, { id: newUuid(), partOf: id, signal })
  } finally {
    await source.close()
  }
}

/** The end of the job, or of the login, ends every file of it. */
function endsAll(error: unknown): boolean {
  const codes = ['job-stopped', 'job-not-found', 'job-expired', 'not-running', 'not-logged-in', 'unreachable']
  return error instanceof FilejobsError && codes.includes(error.code)
}

async function isSame({ path, size }: LocalFile, remote: FileRecord | undefined): Promise<boolean> {
  if (remote?.size !== size || remote.sha256 === null) return false
  const digest = openDigest()!
  const source = await openPath(path)
  try {
    for (;;) {
      const chunk = await source.next(1024 ** 2)
      if (chunk.length === 0) return digest.digest() === remote.sha256
      digest.update(chunk)
    }
  } finally {
    await source.close()
  }
}

async function report(
  api: StreamingApi,
  { id, signal }: TransferJob,
  unchanged: readonly LocalFile[],
  failures: SyncResult['failures'],
): Promise<void> {
  if (unchanged.length > 0) {
    const bytes = unchanged.reduce((sum, { size }) => sum + size, 0)
    await api.send('POST', jobPath(id, 'unchanged'), { json: { count: unchanged.length, bytes }, signal })
  }
  for (const { name, error } of failures) {
    const code = error instanceof FilejobsError ? error.code : 'not-accessible'
    // Those that the server has refused are known to it.
    if (error instanceof FilejobsError && error.status !== null) continue
    await api.send('POST', jobPath(id, 'failed'), { json: { files: [{ name, code, message: error.message }] }, signal })
  }
}

async function removeOthers(
  api: StreamingApi,
  local: readonly LocalFile[],
  remote: ReadonlyMap<string, FileRecord>,
  { signal }: TransferJob,
): Promise<number> {
  const kept = new Set(local.map(({ name }) => name))
  const others = [...remote.keys()].filter((name) => !kept.has(name))
  for (const name of others) await api.send('DELETE', filePath(name), { signal })
  return others.length
}

/** All files below a folder, in the order of their names. */
async function walk(folder: string, prefix: string): Promise<LocalFile[]> {
  const { readdir, stat } = nodeModule('node:fs/promises')
  const { join } = nodeModule('node:path')
  const files: LocalFile[] = []
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    const name = prefix + entry.name.normalize('NFC')
    if (entry.isDirectory()) files.push(...(await walk(path, `${name}/`)))
    else if (entry.isFile()) files.push({ path, name, size: (await stat(path)).size })
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1))
}
