import { type FileHandle, open } from 'node:fs/promises'
import type { FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { findSame } from './already-there.js'
import { wordEnd } from './broken-connection.js'
import { howToGoOn, type OwnJob } from './own-job.js'
import type { Producer } from './producer.js'
import { findPublished } from './published-record.js'
import { putContent } from './put.js'
import { ResumableSender } from './resumable-sender.js'
import { isWorthRetrying, Retries } from './retries.js'
import type { TransferTools } from './tools.js'
import type { TransferState } from './transfer-state.js'
import { sendUpload } from './upload-file.js'
import type { UploadOptions } from './upload-options.js'
import type { PlannedUpload } from './upload-plan.js'
import { sendStream } from './upload-stream.js'

export interface UploadTools extends TransferTools {
  readonly stdin: AsyncIterable<Buffer>
  /** Prepares the command of an item. */
  createProducer(command: readonly string[]): Producer
  /** Opens the resume state of the upload of a file. */
  openTransferState(item: PlannedUpload, keepExisting: boolean): TransferState
}

/** The published file; its full record if the server could still be reached. */
export type UploadedFile = Pick<FileRecord, 'name' | 'size' | 'sha256'>

/** Smaller files are sent from memory, with their digest, in one request. */
const smallBytes = 8 * 1024 ** 2

/** Uploads one file, stdin, or a command's output. Throws a Problem or a Failure with a message for the user. */
export async function upload(
  tools: UploadTools,
  item: PlannedUpload,
  options: UploadOptions,
  job: OwnJob,
): Promise<UploadedFile> {
  if (item.failure !== undefined) throw item.failure
  try {
    if (item.command) return await uploadOutput(tools, item.name, tools.createProducer(item.command), options, job)
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
  item: PlannedUpload,
  handle: FileHandle,
  options: UploadOptions,
  job: OwnJob,
): Promise<UploadedFile> {
  const { name, path } = item
  const found = await handle.stat()
  const { size, mtimeMs } = found
  // A pipe in place of a file, such as `<(command)`, has no size.
  if (!found.isFile()) return uploadStream(tools, name, handle.createReadStream(), options, job)
  if (size <= smallBytes) return putContent(tools, name, await handle.readFile(), options, job)
  const upload = new ResumableSender(
    tools,
    { name, length: size, version: `${size} bytes of ${mtimeMs}` },
    options,
    tools.openTransferState(item, options.keepExisting),
    job,
  )
  const retries = new Retries(options.retries)
  const file = { handle, path, name, size, mtimeMs }
  try {
    // Files of a folder were compared before.
    const isCompared = (await upload.recall()) || job.partOf !== undefined
    const same = isCompared ? undefined : await findSame(tools, file, job.signal)
    if (same !== undefined) tools.note(`${name} is on the server already, with the same content: nothing was sent.`)
    const sha256 = same ?? (await sendUpload(tools, upload, file, retries, job))
    await upload.forget()
    return (await findPublished(tools.http, name, sha256)) ?? { name, size, sha256 }
  } catch (error) {
    if (job.stopped || isFinal(error)) await upload.forget()
    await abandonUnlessEnded(upload, error, job)
    throw error
  }
}

async function uploadOutput(
  tools: UploadTools,
  name: string,
  producer: Producer,
  options: UploadOptions,
  job: OwnJob,
): Promise<UploadedFile> {
  try {
    return await uploadStream(tools, name, producer.stream, options, job)
  } finally {
    await producer.close()
  }
}

async function uploadStream(
  tools: UploadTools,
  name: string,
  stream: AsyncIterable<Buffer>,
  options: UploadOptions,
  job: OwnJob,
): Promise<UploadedFile> {
  const upload = new ResumableSender(tools, { name, length: null, version: '' }, options, undefined, job)
  try {
    const { bytes, sha256 } = await sendStream(
      tools,
      upload,
      { stream, name, allowEmpty: options.allowEmpty },
      new Retries(options.retries),
      job,
    )
    return (await findPublished(tools.http, name, sha256)) ?? { name, size: bytes, sha256 }
  } catch (error) {
    await abandonUnlessEnded(upload, error, job)
    throw error
  }
}

/** After a signal the stop was already sent. */
async function abandonUnlessEnded(upload: ResumableSender, error: unknown, job: OwnJob): Promise<void> {
  if (!job.signal.aborted && !isFinal(error)) await upload.abandon()
}

/** Whether this error means that the server has ended the upload, so that it cannot be resumed. */
function isFinal(error: unknown): boolean {
  return error instanceof Problem && !isWorthRetrying(error) && !passing.includes(error.code)
}

/** These reject a request but may keep the upload: if there is no space for the rest, the received bytes are kept. */
const passing: readonly string[] = [
  'job-running',
  'not-logged-in',
  'not-allowed',
  'taken-over',
  'disk-full',
  'quota-exceeded',
]
