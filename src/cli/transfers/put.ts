import type { ClientRequest, OutgoingHttpHeaders } from 'node:http'
import type { FileList, FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { filePath, jobHeader, routes } from '../../protocol/routes.js'
import { answeredProblem, isNetworkError, unreachable } from '../answers.js'
import type { Api } from '../api.js'
import { Failure } from '../exit-codes.js'
import type { HttpClient } from '../http-client.js'
import type { Progress } from '../progress.js'
import { waitHeaders } from '../wait-option.js'
import { askFate, nameStopped } from './broken-connection.js'
import { type Answer, exchange, type WriteChunk } from './exchange.js'
import { limitRate, type OwnJob } from './own-job.js'

export interface UploadTools {
  readonly http: HttpClient
  readonly api: Api
  readonly progress: Progress
}

export interface UploadOptions {
  /** Refuse to replace a file. */
  readonly keepExisting: boolean
  /** How long to wait for its turn; null is not at all. */
  readonly waitSeconds: number | null
  /** Bytes per second; null is as fast as it goes. */
  readonly rateLimit: number | null
}

/** What a PUT sends. */
export interface PutBody {
  readonly headers: OutgoingHttpHeaders
  readonly total: number | null
  /** Send nothing before the server has said that it wants it. */
  readonly expect: boolean
}

/** Sends one file by a raw PUT and answers with its record, or with the Problem or Failure that became of it. */
export async function put(
  { http, api, progress }: UploadTools,
  name: string,
  body: PutBody,
  options: UploadOptions,
  job: OwnJob,
  /** Sends everything and answers with its SHA-256. */
  send: (write: WriteChunk) => Promise<Buffer>,
): Promise<FileRecord> {
  // A limit can be set only once there is a job, and is to hold from the first byte on.
  const expect = body.expect || options.rateLimit !== null
  const request = http.open('PUT', filePath(name), {
    ...body.headers,
    ...waitHeaders(options.waitSeconds),
    ...(options.keepExisting ? { 'if-none-match': '*' } : {}),
    ...(expect ? { expect: '100-continue' } : {}),
    [jobHeader]: job.id,
  })
  job.begun = options.waitSeconds === null
  let digest: Buffer | undefined
  try {
    if (!job.begun) progress.say(`${name}: waiting for its turn`)
    const answer = await exchange(request, job.signal, async (write) => {
      if (expect) await untilWanted(request, options.waitSeconds)
      job.begun = true
      await limitRate(api, job, options.rateLimit)
      progress.begin(name, body.total)
      digest = await send(write)
      progress.say(`${name}: the server checks and stores it`)
    })
    return readRecord(http.server, name, answer, digest)
  } catch (error) {
    if (!isNetworkError(error)) throw nameStopped(error, 'upload', name)
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
  const { files } = await api.send<FileList>('GET', routes.files, { query: { prefix: name, limit: 1 } })
  const record = files[0]
  if (record?.name === name && record.sha256 === digest.toString('hex')) return record
  throw new Failure('tryAgain', `${name} was uploaded, but something else has that name by now.`)
}
