import type { OutgoingHttpHeaders } from 'node:http'
import { jobHeader, routes } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import type { HttpClient } from '../http-client.js'
import { untilWanted } from './continue.js'
import { findSha256 } from './digests.js'
import { type Answer, exchange, type WriteChunk } from './exchange.js'

// The requests of tus 1.0.0 (https://tus.io/protocols/resumable-upload). An upload's id is that of its job.

export interface Creation {
  readonly jobId: string
  readonly name: string
  /** Bytes of the whole; null where that is not known yet. */
  readonly length: number | null
  readonly headers: OutgoingHttpHeaders
}

/** Begins an upload, as soon as its turn has come, and answers with its id. */
export async function createUpload(http: HttpClient, creation: Creation, signal: AbortSignal): Promise<string> {
  const { jobId, name, length, headers } = creation
  const request = http.open('POST', routes.tus, {
    ...tusResumable,
    ...headers,
    ...(length === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }),
    'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    'content-length': 0,
    [jobHeader]: jobId,
  })
  const answer = accept(http, await exchange(request, signal, sendNothing))
  return String(answer.headers[jobHeader.toLowerCase()] ?? jobId)
}

export interface Standing {
  /** Bytes that the server has for good. */
  readonly offset: number
  /** Of the file, in hexadecimal, once it is published. */
  readonly sha256: string | undefined
}

/** How far an upload is; undefined where there is none any more. Ends what still hangs on it at the server. */
export async function findStanding(http: HttpClient, id: string, signal: AbortSignal): Promise<Standing | undefined> {
  const request = http.open('HEAD', uploadPath(id), tusResumable)
  const answer = await exchange(request, signal, sendNothing)
  if (ended.includes(answer.status)) return undefined
  const { headers } = accept(http, answer)
  return { offset: Number(headers['upload-offset']), sha256: findSha256(headers['repr-digest']) }
}

export interface Piece {
  readonly id: string
  readonly offset: number
  /** Bytes of this piece; null where that is not known yet. */
  readonly bytes: number | null
  readonly headers: OutgoingHttpHeaders
  /** How long to wait for a slot, where the upload has lost its own. */
  readonly waitSeconds: number | null
}

/** Sends a piece; with the last one, the file is published. Resolves when the server has it for good. */
export async function appendPiece(
  http: HttpClient,
  { id, offset, bytes, headers, waitSeconds }: Piece,
  signal: AbortSignal,
  send: (write: WriteChunk) => Promise<void>,
): Promise<void> {
  const request = http.open('PATCH', uploadPath(id), {
    ...tusResumable,
    ...headers,
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    ...(bytes === null ? {} : { 'content-length': bytes }),
    ...(bytes === 0 ? {} : { expect: '100-continue' }),
  })
  const answer = await exchange(request, signal, async (write) => {
    if (bytes !== 0) await untilWanted(request, waitSeconds)
    await send(write)
  })
  accept(http, answer)
}

/** Ends an upload that nobody can go on with. Best effort: the server ends it by itself some day. */
export async function removeUpload(http: HttpClient, id: string): Promise<void> {
  const request = http.open('DELETE', uploadPath(id), tusResumable)
  await exchange(request, AbortSignal.timeout(removalTimeoutMs), sendNothing).catch(() => {})
}

const removalTimeoutMs = 10_000
const tusResumable = { 'tus-resumable': '1.0.0' }
/** Never there, ended or expired, and stopped a moment ago. */
const ended: readonly number[] = [404, 410, 423]

function uploadPath(id: string): string {
  return `${routes.tus}/${id}`
}

function accept({ server }: HttpClient, answer: Answer): Answer {
  if (answer.status >= 300) throw answeredProblem(server, answer.status, answer.body, answer.headers)
  return answer
}

async function sendNothing(): Promise<void> {}
