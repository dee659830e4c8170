import { type FileHandle, open } from 'node:fs/promises'
import type { FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { findSame } from './already-there.js'
import { wordEnd } from './broken-connection.js'
import type { Memory } from './memory.js'
import { howToGoOn, type OwnJob } from './own-job.js'
import { findPublished } from './published-record.js'
import { putContent } from './put.js'
import { ResumableUpload } from './resumable-upload.js'
import { isWorthRetrying, Retries } from './retries.js'
import type { TransferTools } from './tools.js'
import { sendFile } from './upload-file.js'
import type { UploadOptions } from './upload-options.js'
import type { UploadItem } from './upload-plan.js'
import { sendStream } from './upload-stream.js'

export interface UploadTools extends TransferTools {
  readonly stdin: AsyncIterable<Buffer>
  /** Where it is remembered that the upload of a file is unfinished. */
  openMemory(item: UploadItem, keepExisting: boolean): Memory
}

/** What was published; all of its record, where the server could still be asked for it. */
export type Uploaded = Pick<FileRecord, 'name' | 'size' | 'sha256'>

/** Up to here a file is sent from memory, with its digest, in one request. */
const smallBytes = 8 * 1024 ** 2

/** Uploads one file, or stdin. Throws a Problem or a Failure that is worded for the user. */
export async function upload(
  tools: UploadTools,
  item: UploadItem,
  options: UploadOptions,
  job: OwnJob,
): Promise<Uploaded> {
  if (item.failure !== undefined) throw item.failure
  try {
    if (item.path === '-') return await uploadStream(tools, item.name, tools.stdin, options, job)
    const handle = await open(item.path, 'r')
    try {
      return await uploadOpened(tools, item, handle, options, job)
    } finally {
      await handle.close().catch(() => {})
    }
  } catch (error) {
    throw wordEnd(error, tools.http.server, 'upload', item.name, job.resumable ? howToGoOn : undefined)
  } finally {
    tools.progress.end()
  }
}

async function uploadOpened(
  tools: UploadTools,
  item: UploadItem,
  handle: FileHandle,
  options: UploadOptions,
  job: OwnJob,
): Promise<Uploaded> {
  const { name, path } = item
  const found = await handle.stat()
  const { size, mtimeMs } = found
  // A pipe in the place of a file, such as `<(command)`, has no size.
  if (!found.isFile()) return uploadStream(tools, name, handle.createReadStream(), options, job)
  if (size <= smallBytes) return putContent(tools, name, await handle.readFile(), options, job)
  const upload = new ResumableUpload(
    tools,
    { name, length: size, version: `${size} bytes of ${mtimeMs}` },
    options,
    tools.openMemory(item, options.keepExisting),
    job,
  )
  const retries = new Retries(options.retries)
  const file = { handle, path, name, size, mtimeMs }
  try {
    const same = (await upload.recall()) ? undefined : await findSame(tools, file, job.signal)
    if (same !== undefined) tools.note(`${name} is on the server already, with the same content: nothing was sent.`)
    const sha256 = same ?? (await sendFile(tools, upload, file, retries, job))
    await upload.forget()
    return (await findPublished(tools.http, name, sha256)) ?? { name, size, sha256 }
  } catch (error) {
    if (job.stopped || isFinal(error)) await upload.forget()
    await abandonUnlessEnded(upload, error, job)
    throw error
  }
}

async function uploadStream(
  tools: UploadTools,
  name: string,
  stream: AsyncIterable<Buffer>,
  options: UploadOptions,
  job: OwnJob,
): Promise<Uploaded> {
  const upload = new ResumableUpload(tools, { name, length: null, version: '' }, options, undefined, job)
  try {
    const { bytes, sha256 } = await sendStream(tools, upload, { stream, name }, new Retries(options.retries), job)
    return (await findPublished(tools.http, name, sha256)) ?? { name, size: bytes, sha256 }
  } catch (error) {
    await abandonUnlessEnded(upload, error, job)
    throw error
  }
}

/** After a signal the stop has gone out already. */
async function abandonUnlessEnded(upload: ResumableUpload, error: unknown, job: OwnJob): Promise<void> {
  if (!job.signal.aborted && !isFinal(error)) await upload.abandon()
}

/** Whether the server has ended the upload with this, so that there is nothing to go on with. */
function isFinal(error: unknown): boolean {
  return error instanceof Problem && !isWorthRetrying(error) && !passing.includes(error.code)
}

/** These refuse a request; the upload stays, or may: where there is no room for the rest, what has come is kept. */
const passing: readonly string[] = [
  'job-running',
  'not-logged-in',
  'not-allowed',
  'taken-over',
  'disk-full',
  'quota-exceeded',
]
