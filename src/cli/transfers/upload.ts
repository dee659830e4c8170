import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { FileRecord } from '../../protocol/files.js'
import { Failure } from '../exit-codes.js'
import { collect } from './collect.js'
import { formatDigest } from './digests.js'
import type { WriteChunk } from './exchange.js'
import { hashAndWrite } from './hash-and-write.js'
import { openHasher } from './hasher.js'
import type { OwnJob } from './own-job.js'
import { put, type UploadOptions, type UploadTools } from './put.js'
import { readAhead } from './read-ahead.js'
import type { UploadItem } from './upload-plan.js'

/** Uploads one file, or stdin, and answers with the file's record. Throws a Problem or a Failure. */
export async function upload(
  tools: UploadTools,
  item: UploadItem,
  stdin: AsyncIterable<Buffer>,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  if (item.path === '-') return uploadStream(tools, item.name, stdin, options, job)
  const handle = await open(item.path, 'r')
  try {
    const found = await handle.stat()
    // A pipe in the place of a file, such as `<(command)`, has no size.
    if (!found.isFile()) return await uploadStream(tools, item.name, handle.createReadStream(), options, job)
    if (found.size <= smallBytes) return await uploadSmall(tools, item, handle, options, job)
    return await uploadLarge(tools, item, handle, found.size, options, job)
  } finally {
    await handle.close().catch(() => {})
  }
}

/** Up to here a file is hashed before it is sent, so that the server can check it before it publishes. */
const smallBytes = 8 * 1024 ** 2
/** From here on it pays to hear a refusal before anything is sent. */
const expectBytes = 1024 ** 2

async function uploadSmall(
  tools: UploadTools,
  { name }: UploadItem,
  handle: FileHandle,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  const content = await handle.readFile()
  const digest = createHash('sha256').update(content).digest()
  const headers = { 'content-length': content.length, 'repr-digest': formatDigest(digest) }
  const expect = content.length > expectBytes || options.waitSeconds !== null
  return put(tools, name, { headers, total: content.length, expect }, options, job, async (write) => {
    if (content.length > 0) await write(content)
    tools.progress.advance(content.length)
    return digest
  })
}

async function uploadLarge(
  tools: UploadTools,
  { name, path }: UploadItem,
  handle: FileHandle,
  size: number,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  const body = { headers: { 'content-length': size }, total: size, expect: true }
  const sendFile = async (write: WriteChunk) => {
    let read = 0
    const chunks = readAhead(handle, tools.http.pool, 0, size)
    const digest = await send(tools, chunks, size, async (chunk) => {
      read += chunk.length
      // Before the last bytes: once they are sent, a mixture of old and new would be published.
      if (read === size && (await handle.stat()).size !== size) throw changed(path)
      await write(chunk)
    })
    if (read < size) throw changed(path)
    return digest
  }
  let sending: Promise<unknown> | undefined
  try {
    return await put(tools, name, body, options, job, (write) => {
      const sent = sendFile(write)
      sending = sent
      return sent
    })
  } finally {
    // An answer may come in the middle; the file must not be closed under a read.
    await sending?.catch(() => {})
  }
}

async function uploadStream(
  tools: UploadTools,
  name: string,
  stream: AsyncIterable<Buffer>,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  return put(tools, name, { headers: {}, total: null, expect: true }, options, job, (write) =>
    send(tools, collect(stream, tools.http.pool), null, write),
  )
}

/** Sends all chunks and answers with their digest. */
async function send(
  { http, progress }: UploadTools,
  chunks: AsyncIterable<Buffer>,
  expectedBytes: number | null,
  write: WriteChunk,
): Promise<Buffer> {
  const hasher = openHasher(expectedBytes)
  try {
    await hashAndWrite(chunks, { pool: http.pool, hasher, write }, (bytes) => progress.advance(bytes))
    return await hasher.digest()
  } finally {
    hasher.close()
  }
}

function changed(path: string): Failure {
  return new Failure('unexpected', `${path} changed while it was read: nothing was published. Try again.`)
}
