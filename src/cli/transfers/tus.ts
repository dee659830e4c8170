import type { OutgoingHttpHeaders } from 'node:http'
import { waitHeaders } from '../../client/transfer-options.js'
import { findSha256 } from '../../protocol/digest-fields.js'
import { jobHeader, partOfHeader, routes } from '../../protocol/routes.js'
import { answeredProblem } from '../answers.js'
import type { HttpClient } from '../http-client.js'
import { untilWanted } from './continue.js'
import { type Answer, exchange, SendingEnded, type WriteChunk } from './exchange.js'

// The requests of tus 1.0.0 (https://tus.io/protocols/resumable-upload). An upload's id is that of its job.

export interface TusCreation {
  readonly jobId: string
  /** The job of many files that the upload is a stream of. */
  readonly partOf: string | undefined
  readonly name: string
  /** Bytes of the whole file; null if unknown. */
  readonly length: number | null
  readonly headers: OutgoingHttpHeaders
}

/** Creates an upload, which takes no slot yet, and returns its id. */
export async function createUpload(http: HttpClient, creation: TusCreation, signal: AbortSignal): Promise<string> {
  const { jobId, partOf, name, length, headers } = creation
  const request = http.open('POST', routes.tus, {
    ...tusResumable,
    ...headers,
    ...(length === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(length) }),
    'upload-metadata': `filename ${Buffer.from(name).toString('base64')}`,
    'content-length': 0,
    [jobHeader]: jobId,
    ...partOfHeaders(partOf),
  })
  const answer = accept(http, await exchange(request, signal, sendNothing))
  return String(answer.headers[jobHeader.toLowerCase()] ?? jobId)
}

export interface Standing {
  /** Bytes that the server has stored. */
  readonly offset: number
  /** Of the file, in hexadecimal, once it is published. */
  readonly sha256: string | undefined
}

/** The offset of an upload; undefined if it no longer exists. Aborts an earlier request that is still open for it. */
export async function findStanding(http: HttpClient, id: string, signal: AbortSignal): Promise<Standing | undefined> {
  const request = http.open('HEAD', uploadPath(id), tusResumable)
  const answer = await exchange(request, signal, sendNothing)
  if (ended.includes(answer.status)) return undefined
  const { headers } = accept(http, answer)
  return { offset: Number(headers['upload-offset']), sha256: findSha256(headers) }
}

export interface TusChunk {
  readonly id: string
  /** The job of many files that the upload is a stream of. */
  readonly partOf: string | undefined
  readonly offset: number
  /** Bytes of this chunk; null if unknown. */
  readonly bytes: number | null
  readonly headers: OutgoingHttpHeaders
  /** How long to wait for a slot if the upload has lost its own. */
  readonly waitSeconds: number | null
}

/** Sends a chunk; after the last one, the file is published. Resolves when the server has stored it. */
export async function appendChunk(
  http: HttpClient,
  { id, partOf, offset, bytes, headers, waitSeconds }: TusChunk,
  signal: AbortSignal,
  send: (write: WriteChunk) => Promise<void>,
): Promise<void> {
  const request = http.open('PATCH', uploadPath(id), {
    ...tusResumable,
    // Without `Prefer`, the server waits for as long as the client stays connected.
    ...waitHeaders(waitSeconds ?? 0),
    ...headers,
    ...partOfHeaders(partOf),
    'content-type': 'application/offset+octet-stream',
    'upload-offset': String(offset),
    ...(bytes === null ? {} : { 'content-length': bytes }),
    ...(bytes === 0 ? {} : { expect: '100-continue' }),
  })
  const answer = await exchange(request, signal, async (write) => {
    // Rejected before a byte of it was read; for a stream, those may be the only bytes.
    if (bytes !== 0 && !(await untilWanted(request, waitSeconds))) throw new SendingEnded()
    await send(write)
  })
  accept(http, answer)
}

/** Removes an upload that cannot be resumed. Best effort: the server expires it anyway. */
export async function removeUpload(http: HttpClient, id: string): Promise<void> {
  const request = http.open('DELETE', uploadPath(id), tusResumable)
  await exchange(request, AbortSignal.timeout(removalTimeoutMs), sendNothing).catch(() => {})
}

const removalTimeoutMs = 10_000
const tusResumable = { 'tus-resumable': '1.0.0' }
/** Unknown, ended or expired (404, 410), and recently stopped (423). */
const ended: readonly number[] = [404, 410, 423]

function partOfHeaders(id: string | undefined): OutgoingHttpHeaders {
  return id === undefined ? {} : { [partOfHeader]: id }
}

function uploadPath(id: string): string {
  return `${routes.tus}/${id}`
}

function accept({ server }: HttpClient, answer: Answer): Answer {
  if (answer.status >= 300) throw answeredProblem(server, answer.status, answer.body, answer.headers)
  return answer
}

async function sendNothing(): Promise<void> {}
