import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'
import type { FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { filePath, jobHeader } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, unreachable } from '../answers.js'
import type { Api } from '../api.js'
import { Failure } from '../exit-codes.js'
import type { HttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import { waitHeaders } from '../wait-option.js'
import { askFate } from './broken-connection.js'
import { formatDigest } from './digests.js'
import { type Answer, exchange, type WriteChunk } from './exchange.js'
import type { OwnJob } from './own-job.js'
import { readAhead } from './read-ahead.js'
import type { UploadItem } from './upload-plan.js'

export interface UploadTools {
  readonly http: HttpClient
  readonly api: Api
  readonly progress: Progress
  readonly stdin: AsyncIterable<Buffer>
}

export interface UploadOptions {
  /** Refuse to replace a file. */
  readonly keepExisting: boolean
  /** How long to wait for its turn; null is not at all. */
  readonly waitSeconds: number | null
}

/** Uploads one file or stdin by a raw PUT and answers with the file's record. Throws a Problem or a Failure. */
export async function upload(
  tools: UploadTools,
  item: UploadItem,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  if (item.path === '-') return uploadStream(tools, item.name, tools.stdin, options, job)
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
  return put(tools, name, body, options, job, async (write) => {
    const hash = createHash('sha256')
    let sent = 0
    let writing: Promise<void> | undefined
    for await (const chunk of readAhead(handle, 0, size)) {
      hash.update(chunk)
      await writing
      sent += chunk.length
      // Before the last bytes: once they are sent, a mixture of old and new would be published.
      if (sent === size) await refuseChanged(handle, path, size)
      writing = write(chunk).then(() => tools.progress.advance(chunk.length))
      writing.catch(() => {})
    }
    await writing
    if (sent < size) throw changed(path)
    return hash.digest()
  })
}

async function uploadStream(
  tools: UploadTools,
  name: string,
  stream: AsyncIterable<Buffer>,
  options: UploadOptions,
  job: OwnJob,
): Promise<FileRecord> {
  return put(tools, name, { headers: {}, total: null, expect: true }, options, job, async (write) => {
    const hash = createHash('sha256')
    for await (const chunk of stream) {
      hash.update(chunk)
      await write(chunk)
      tools.progress.advance(chunk.length)
    }
    return hash.digest()
  })
}

interface Body {
  readonly headers: OutgoingHttpHeaders
  readonly total: number | null
  /** Send nothing before the server has said that it wants it. */
  readonly expect: boolean
}

async function put(
  { http, api, progress }: UploadTools,
  name: string,
  body: Body,
  options: UploadOptions,
  job: OwnJob,
  /** Sends everything and answers with its SHA-256. */
  send: (write: WriteChunk) => Promise<Buffer>,
): Promise<FileRecord> {
  const request = http.open('PUT', filePath(name), {
    ...body.headers,
    ...waitHeaders(options.waitSeconds),
    ...(options.keepExisting ? { 'if-none-match': '*' } : {}),
    ...(body.expect ? { expect: '100-continue' } : {}),
    [jobHeader]: job.id,
  })
  job.begun = options.waitSeconds === null
  let digest: Buffer | undefined
  try {
    if (!job.begun) progress.say(`${name}: waiting for its turn`)
    const answer = await exchange(request, job.signal, async (write) => {
      if (body.expect) await untilWanted(request, options.waitSeconds)
      job.begun = true
      progress.begin(name, body.total)
      digest = await send(write)
      progress.say(`${name}: the server checks and stores it`)
    })
    return readRecord(http.server, name, answer, digest)
  } catch (error) {
    if (!isNetworkError(error)) throw error
    const ended = await askFate(api, job.id)
    if (ended?.state === 'done' && digest) return await findRecord(api, name, digest)
    throw unreachable(http.server, error)
  } finally {
    progress.end()
  }
}

/** Some proxies swallow the `100 Continue`: after a while the body is sent all the same (RFC 9110, section 10.1.1). */
const continueTimeoutMs = 3_000

function untilWanted(request: ClientRequest, waitSeconds: number | null): Promise<void> {
  request.flushHeaders()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, continueTimeoutMs + (waitSeconds ?? 0) * 1000)
    const settle = () => {
      clearTimeout(timer)
      resolve()
    }
    request.once('continue', settle).once('response', settle).once('close', settle)
  })
}

function readRecord(server: string, name: string, answer: Answer, digest: Buffer | undefined): FileRecord {
  if (answer.status >= 300) throw answeredProblem(server, answer.status, answer.body, answer.headers)
  const record = JSON.parse(answer.body) as FileRecord
  if (digest && record.sha256 !== null && record.sha256 !== digest.toString('hex')) {
    throw new Problem('digest-mismatch', `${name} arrived damaged: remove it with "filejobs rm" and upload it again.`)
  }
  return record
}

/** The answer was lost, though the job is done: the list tells what was published. */
async function findRecord(api: Api, name: string, digest: Buffer): Promise<FileRecord> {
  const { files } = await api.send<{ files: FileRecord[] }>('GET', '/files', { query: { prefix: name, limit: 1 } })
  const record = files[0]
  if (record?.name === name && record.sha256 === digest.toString('hex')) return record
  throw new Failure('tryAgain', `${name} was uploaded, but something else has that name by now.`)
}

async function refuseChanged(handle: FileHandle, path: string, size: number): Promise<void> {
  const now = await handle.stat()
  if (now.size !== size) throw changed(path)
}

function changed(path: string): Failure {
  return new Failure('unexpected', `${path} changed while it was read: nothing was published. Try again.`)
}
