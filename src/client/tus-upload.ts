import { encodeBase64, formatChecksum } from '../protocol/digest-fields.js'
import { jobHeader, partOfHeader, routes } from '../protocol/routes.js'
import { newUuid } from '../protocol/uuid.js'
import type { StreamingApi } from './api.js'
import { Attempts } from './attempts.js'
import { sha256Of } from './digests.js'
import { FilejobsError } from './errors.js'
import type { TransferJob } from './stoppable-job.js'
import { awaitSlot, longestWaitSeconds, rateHeaders, waitHeaders } from './transfer-options.js'
import { replaceHeaders, type UploadSettings } from './upload-settings.js'
import type { UploadSource } from './upload-source.js'

/** What is uploaded, of which `first` was read before. */
interface ChunkedUpload {
  name: string
  source: UploadSource
  first: Uint8Array<ArrayBuffer>
}

/**
 * Uploads by tus 1.0.0 (https://tus.io/protocols/resumable-upload), a chunk at a time: each is kept until the server has stored it,
 * and is verified by its own checksum. Returns the number of bytes. If it fails, for whatever reason, nothing is left on the server.
 */
export async function uploadChunks(
  api: StreamingApi,
  upload: ChunkedUpload,
  options: UploadSettings,
  job: TransferJob,
): Promise<number> {
  const retries = new Attempts(options.retries)
  await retries.run(api, job, (isRetry) => {
    // The answer to the first attempt may be lost, and an id can be used only once.
    if (isRetry) job.id = newUuid()
    return createUpload(api, upload.name, upload.source.size, options, job)
  })
  try {
    return await sendChunks(api, upload, options, job, retries)
  } catch (error) {
    await terminate(api, job)
    throw error
  }
}

async function sendChunks(
  api: StreamingApi,
  { name, source, first }: ChunkedUpload,
  options: UploadSettings,
  job: TransferJob,
  retries: Attempts,
): Promise<number> {
  let chunk = first
  let asked = first.length
  for (let at = 0; ; ) {
    const end = at + chunk.length
    const isLast = source.size === null ? chunk.length < asked : end === source.size
    if (!isLast && chunk.length < asked) throw new FilejobsError('file-changed', `${name} became shorter meanwhile.`)
    const beganAt = performance.now()
    await retries.run(api, job, async (isRetry) => {
      const { offset, isPublished } = isRetry ? await findStanding(api, job) : { offset: at, isPublished: false }
      if (offset < at || offset > end) {
        throw new FilejobsError('upload-gone', 'The server has lost what came before, and it cannot be read again.')
      }
      if (isPublished || (offset === end && !isLast)) return
      const waitSeconds = at === 0 ? (options.waitSeconds ?? 0) : longestWaitSeconds
      await awaitSlot(waitSeconds, job.signal, (seconds) =>
        append(api, job, {
          offset,
          bytes: offset === at ? chunk : chunk.slice(offset - at),
          total: isLast && source.size === null ? end : null,
          // Without `Prefer`, the server waits for as long as the client stays connected.
          headers: waitHeaders(seconds ?? 0),
        }),
      )
    })
    retries.advanced()
    at = end
    options.onProgress?.({ bytes: at, totalBytes: isLast ? at : source.size, jobId: job.id })
    if (isLast) return at
    asked = nextChunkBytes(asked, performance.now() - beganAt)
    if (source.size !== null) asked = Math.min(asked, source.size - at)
    chunk = await source.next(asked)
  }
}

/** About a second each: so that progress is seen, and requests are few. */
function nextChunkBytes(bytes: number, tookMs: number): number {
  const next = tookMs < 500 ? bytes * 2 : tookMs > 2_000 ? bytes / 2 : bytes
  return Math.min(Math.max(Math.floor(next), leastChunkBytes), mostChunkBytes)
}

const leastChunkBytes = 256 * 1024
const mostChunkBytes = 16 * 1024 ** 2

const tusResumable = { 'tus-resumable': '1.0.0' }

function uploadPath({ id }: TransferJob): string {
  return `${routes.tus}/${id}`
}

function partOfHeaders({ partOf }: TransferJob): Record<string, string> {
  return partOf === undefined ? {} : { [partOfHeader]: partOf }
}

async function createUpload(
  api: StreamingApi,
  name: string,
  size: number | null,
  options: UploadSettings,
  job: TransferJob,
): Promise<void> {
  const headers = await api.ask('POST', routes.tus, {
    headers: {
      ...tusResumable,
      ...rateHeaders(options),
      ...replaceHeaders(options),
      ...(size === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(size) }),
      'upload-metadata': `filename ${encodeBase64(new TextEncoder().encode(name))}`,
      [jobHeader]: job.id,
      ...partOfHeaders(job),
    },
    signal: job.signal,
  })
  job.id = headers.get(jobHeader) ?? job.id
}

/** Best effort: the server ends an upload that no client continues by itself, but until then its slot is taken. */
async function terminate(api: StreamingApi, job: TransferJob): Promise<void> {
  if (job.signal.aborted) return
  const headers = { ...tusResumable, ...partOfHeaders(job) }
  await api.send('DELETE', uploadPath(job), { headers, timeoutMs: 10_000 }).catch(() => {})
}

/** Aborts an earlier request that is still open for the upload. */
async function findStanding(api: StreamingApi, job: TransferJob): Promise<{ offset: number; isPublished: boolean }> {
  try {
    const headers = await api.ask('HEAD', uploadPath(job), { headers: tusResumable, signal: job.signal })
    const offset = headers.get('upload-offset')
    // Until the publish, a server that has all bytes reports one byte less.
    return { offset: Number(offset), isPublished: offset === headers.get('upload-length') }
  } catch (error) {
    // Without a body, such an answer has no code. A stop was found before.
    if (!(error instanceof FilejobsError) || !ended.includes(error.status)) throw error
    throw new FilejobsError('upload-gone', 'The upload has ended or expired.', { status: error.status, cause: error })
  }
}

/** Unknown, ended or expired (404, 410), and recently stopped (423). */
const ended: readonly (number | null)[] = [404, 410, 423]

interface TusAppend {
  offset: number
  bytes: Uint8Array<ArrayBuffer>
  /** Of the whole upload, if it was unknown before. */
  total: number | null
  headers: Record<string, string>
}

async function append(
  api: StreamingApi,
  job: TransferJob,
  { offset, bytes, total, headers }: TusAppend,
): Promise<void> {
  const digest = await sha256Of(bytes)
  await api.send('PATCH', uploadPath(job), {
    headers: {
      ...tusResumable,
      ...headers,
      ...partOfHeaders(job),
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
      ...(total === null ? {} : { 'upload-length': String(total) }),
      ...(digest === undefined ? {} : { 'upload-checksum': formatChecksum(digest) }),
    },
    body: bytes.buffer,
    // It may be paused.
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: job.signal,
  })
}
