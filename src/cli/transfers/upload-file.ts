import type { FileHandle } from 'node:fs/promises'
import { formatDigest } from '../../protocol/digest-fields.js'
import { Problem } from '../../protocol/problems.js'
import { Failure } from '../exit-codes.js'
import { passingDigest, readingDigest, type SentFileDigest } from './file-digest.js'
import { hashAndWrite } from './hash-and-write.js'
import type { OwnJob } from './own-job.js'
import { readAhead } from './read-ahead.js'
import type { ResumableSender } from './resumable-sender.js'
import type { Retries } from './retries.js'
import type { TransferTools } from './tools.js'

/** A file that stays open while it is sent. */
export interface OpenedFile {
  readonly handle: FileHandle
  readonly path: string
  readonly name: string
  readonly size: number
  readonly mtimeMs: number
}

/**
 * Sends a file in as many attempts as needed, and returns its SHA-256, which the server has verified before it
 * published.
 */
export async function sendUpload(
  tools: TransferTools,
  upload: ResumableSender,
  file: OpenedFile,
  retries: Retries,
  job: OwnJob,
): Promise<string> {
  const { pool } = tools.http
  let digest: SentFileDigest | undefined
  let sending: Promise<unknown> | undefined
  try {
    return await retries.run(file.name, tools, job.signal, async () => {
      const { offset, sha256 } = await upload.locate()
      retries.reached(offset)
      // Bytes of an earlier run are not sent again, so they are read for the digest.
      digest ??= offset === 0 ? passingDigest(file.size) : readingDigest(file.handle, pool, file.size)
      if (offset === file.size) return confirm(file, await digest.finish(), sha256)
      sending = sendFrom(tools, upload, file, digest, offset)
      return (await sending) as string
    })
  } catch (error) {
    // Not before: the response to the removed upload would hide this error.
    if (error instanceof ChangedFile) await upload.discard()
    throw error
  } finally {
    digest?.close()
    // A response may arrive early; the file must not be closed during a read.
    await sending?.catch(() => {})
  }
}

/** Held back until the digest of the whole file is known, and then sent with it. */
const lastBytes = 1024 ** 2

async function sendFrom(
  { http, progress }: TransferTools,
  upload: ResumableSender,
  file: OpenedFile,
  digest: SentFileDigest,
  offset: number,
): Promise<string> {
  const { handle, name, size } = file
  const { pool } = http
  const last = Math.max(offset, size - lastBytes)
  progress.begin(name, size, offset)
  if (offset < last) {
    await upload.append(offset, { bytes: last - offset }, async (write) => {
      const sinks = { pool, hasher: digest, write, from: offset }
      const sent = await hashAndWrite(readAhead(handle, pool, offset, last), sinks, (bytes) => progress.advance(bytes))
      if (sent < last - offset) throw new ChangedFile(file)
    })
  }
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - last), 0, size - last, last)
  if (bytesRead < size - last) throw new ChangedFile(file)
  await digest.update(buffer, last)
  const sha256 = await digest.finish()
  // After the last bytes are sent, a mixture of old and new bytes would be published.
  const now = await handle.stat()
  if (now.size !== size || now.mtimeMs !== file.mtimeMs) throw new ChangedFile(file)
  const headers = { 'repr-digest': formatDigest(sha256) }
  await upload.append(last, { bytes: size - last, headers }, async (write) => {
    await write(buffer)
    progress.advance(size - last)
    progress.say(`${name}: the server checks and stores it`)
  })
  return sha256.toString('hex')
}

/** The response was lost, but the file is published: get its record from the server. */
function confirm({ name }: OpenedFile, own: Buffer, published: string | undefined): string {
  const sha256 = own.toString('hex')
  if (published === undefined || published === sha256) return sha256
  throw new Problem(
    'digest-mismatch',
    `${name} was published, but it is not the file that is here now: upload it again.`,
  )
}

/** The bytes that were sent belong to no file: they are discarded. */
class ChangedFile extends Failure {
  constructor({ path }: OpenedFile) {
    super('unexpected', `${path} changed while it was read: nothing was published. Upload it again.`)
  }
}
