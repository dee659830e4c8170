import { formatDigest } from '../protocol/digest-fields.js'
import type { FileList, FileRecord } from '../protocol/files.js'
import { filePath, routes } from '../protocol/routes.js'
import { newUuid } from '../protocol/uuid.js'
import type { Api, StreamingApi } from './api.js'
import { Attempts } from './attempts.js'
import { sha256Of } from './digests.js'
import { FilejobsError } from './errors.js'
import { ownJobHeaders, type TransferJob } from './stoppable-job.js'
import { awaitSlot, rateHeaders, waitHeaders } from './transfer-options.js'
import { uploadChunks } from './tus-upload.js'
import { replaceHeaders, type UploadSettings } from './upload-settings.js'
import type { UploadSource } from './upload-source.js'

/** What fits is sent by one request. */
const smallBytes = 1024 ** 2

/** Uploads the bytes of a source, and returns the record of the published file. */
export async function uploadSource(
  api: StreamingApi,
  source: UploadSource,
  options: UploadSettings,
  job: TransferJob,
): Promise<FileRecord> {
  const name = options.name ?? source.name
  if (!name) throw new TypeError('An upload needs a name: pass it as { name }.')
  options.onProgress?.({ bytes: 0, totalBytes: source.size, jobId: job.id })
  const first = await source.next(smallBytes)
  if (first.length < smallBytes || first.length === source.size) {
    if (source.size !== null && first.length < source.size) {
      throw new FilejobsError('file-changed', `${name} became shorter meanwhile.`)
    }
    const record = await putContent(api, name, first, options, job)
    options.onProgress?.({ bytes: first.length, totalBytes: first.length, jobId: job.id })
    return record
  }
  await uploadChunks(api, { name, source, first }, options, job)
  return findFile(api, name)
}

/** With its digest, which the server verifies before it publishes. */
async function putContent(
  api: Api,
  name: string,
  content: Uint8Array<ArrayBuffer>,
  options: UploadSettings,
  job: TransferJob,
): Promise<FileRecord> {
  const digest = await sha256Of(content)
  return new Attempts(options.retries).run(api, job, (isRetry) => {
    // An id can be used only once.
    if (isRetry) job.id = newUuid()
    return awaitSlot(options.waitSeconds ?? 0, job.signal, (seconds) =>
      api.send<FileRecord>('PUT', filePath(name), {
        headers: {
          ...rateHeaders(options),
          ...waitHeaders(seconds),
          ...replaceHeaders(options),
          ...(digest === undefined ? {} : { 'repr-digest': formatDigest(digest) }),
          ...ownJobHeaders(job),
        },
        body: content.buffer,
        // It may wait, or be paused.
        timeoutMs: Number.POSITIVE_INFINITY,
        signal: job.signal,
      }),
    )
  })
}

/** Throws `file-not-found`. */
export async function findFile(api: Api, name: string): Promise<FileRecord> {
  const { files } = await api.send<FileList>('GET', routes.files, { query: { prefix: name, limit: 1 } })
  const [record] = files
  if (record?.name === name) return record
  throw new FilejobsError('file-not-found', `There is no file ${name}.`)
}
