import type { ClientRequest } from 'node:http'
import { filePath, jobHeader } from '../../protocol/routes.js'
import { isNetworkError } from '../answers.js'
import { Failure } from '../exit-codes.js'
import { askEnded, wordEnd } from '../transfers/broken-connection.js'
import { collect } from '../transfers/collect.js'
import { untilWanted } from '../transfers/continue.js'
import { SendingEnded, untilResponse } from '../transfers/exchange.js'
import type { OwnJob } from '../transfers/own-job.js'
import { waitForSlot } from '../transfers/slot-wait.js'
import { paceHeaders } from '../transfers/tools.js'
import type { UploadTools } from '../transfers/upload.js'
import { preconditionHeaders, type UploadOptions } from '../transfers/upload-options.js'
import { type AnsweredFile, readTarAnswer } from './tar-answer.js'
import type { TransferReport } from './transfer-report.js'

export interface TarOnStdin {
  /** The prefix of the names in the tar: empty, or with a slash at its end. */
  readonly prefix: string
  readonly options: UploadOptions
  readonly isTogether: boolean
  /** Removes files below the prefix that are not in the tar, in the same step; requires `isTogether`. */
  readonly replaces: boolean
}

/**
 * Sends the tar on stdin as one job, in one request, after its first byte has arrived. The server stores its files one by
 * one. The request is not retried, because stdin cannot be read twice.
 */
export async function uploadTar(
  tools: UploadTools,
  tar: TarOnStdin,
  report: TransferReport,
  job: OwnJob,
): Promise<void> {
  const chunks = collect(tools.stdin, tools.http.pool)
  try {
    const first = await firstOf(chunks, job.signal)
    const { prefix, options } = tar
    const wait = { name: titleOf(prefix), waitSeconds: options.waitSeconds, signal: job.signal }
    await waitForSlot(tools, wait, async (waitSeconds) => {
      const request = openRequest(tools, tar, waitSeconds, job)
      job.begun = waitSeconds === null
      await exchangeTar(request, { tools, report, first, chunks, waitSeconds }, job)
    })
  } catch (error) {
    if (tar.isTogether) report.restart()
    job.signal.throwIfAborted()
    if (isNetworkError(error)) await askEnded(tools.api, job.id)
    throw wordEnd(error, tools.http.server, 'upload', titleOf(tar.prefix))
  } finally {
    tools.progress.end()
  }
}

/** What the user calls the folder. */
export function titleOf(prefix: string): string {
  return prefix || '/'
}

async function firstOf(chunks: AsyncGenerator<Buffer>, signal: AbortSignal): Promise<Buffer> {
  const { done, value } = await untilAborted(chunks.next(), signal)
  if (done) throw new Failure('badData', 'No bytes came on stdin: nothing was uploaded.')
  return value
}

function openRequest(
  { http }: UploadTools,
  { prefix, options, isTogether, replaces }: TarOnStdin,
  waitSeconds: number | null,
  job: OwnJob,
): ClientRequest {
  const how = isTogether ? `&publish=together&replace=${replaces}` : ''
  return http.open('PUT', `${filePath(prefix)}?extract=tar${how}`, {
    ...paceHeaders({ ...options, waitSeconds }),
    ...preconditionHeaders(options),
    accept: 'application/x-ndjson',
    'content-type': 'application/x-tar',
    // The bytes cannot be sent again after a refusal.
    expect: '100-continue',
    [jobHeader]: job.id,
  })
}

interface TarExchange {
  readonly tools: UploadTools
  readonly report: TransferReport
  readonly first: Buffer
  /** The chunks after `first`. */
  readonly chunks: AsyncGenerator<Buffer>
  readonly waitSeconds: number | null
}

async function exchangeTar(request: ClientRequest, context: TarExchange, job: OwnJob): Promise<void> {
  const { tools, report } = context
  let isAnswered = false
  const answer = untilResponse(request, job.signal)
    .then((response) => readTarAnswer(tools.http.server, response, (file) => reportFile(report, file)))
    .finally(() => {
      isAnswered = true
    })
  const sent = send(request, context, job, () => isAnswered)
  answer.catch(() => {})
  sent.catch(() => {})
  try {
    const { published } = await Promise.race([answer, sent.then(() => answer)])
    report.removed(removedIn(published))
  } finally {
    if (!request.writableFinished) request.destroy()
  }
}

async function send(
  request: ClientRequest,
  { tools: { http, progress }, first, chunks, waitSeconds }: TarExchange,
  job: OwnJob,
  isAnswered: () => boolean,
): Promise<void> {
  if (!(await untilWanted(request, waitSeconds))) return
  job.begun = true
  progress.begin('tar', null)
  try {
    for (let chunk: Buffer | undefined = first; chunk; chunk = (await chunks.next()).value) {
      if (isAnswered()) return
      await write(request, chunk)
      progress.advance(chunk.length)
      http.pool.give(chunk)
    }
  } catch (error) {
    // The answer, or the connection's own error, is more specific.
    if (error instanceof SendingEnded) return
    throw error
  }
  progress.say('waiting for the server to store the last files')
  request.end()
}

function reportFile(report: TransferReport, { name, status, size, sha256, error }: AnsweredFile): void {
  if (error) report.fail(name, error)
  else report.file({ name, size, sha256, status: status === 'new' || status === 'unchanged' ? status : 'replaced' })
}

function removedIn(published: unknown): number {
  const { removed } = { ...(typeof published === 'object' ? published : {}) } as Record<string, unknown>
  return typeof removed === 'number' ? removed : 0
}

function write(request: ClientRequest, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    request.write(chunk, (error) => (error ? reject(new SendingEnded('', { cause: error })) : resolve()))
  })
}

/** A read of stdin may never return. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
