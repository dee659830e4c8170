import { createHash } from 'node:crypto'
import type http from 'node:http'
import type { JobState } from '../../dist/protocol/jobs.js'
import { isFleet } from '../run/is-cluster.js'
import { type Answer, answerOf, type Caller } from './calls.js'
import { eventually } from './eventually.js'

export interface NewUpload {
  name?: string
  /** null defers it. */
  length?: number | null
  /** More of the metadata, not yet in Base64. */
  metadata?: Record<string, string>
  headers?: http.OutgoingHttpHeaders
  /** The first bytes. */
  body?: string | Uint8Array
}

/** A PATCH that a test holds open. */
export interface HeldChunk {
  request: http.ClientRequest
  answer: Promise<Answer>
}

/** Speaks tus 1.0.0 for an account, and lies where a test wants it. */
export class Tus {
  readonly caller: Caller

  constructor(caller: Caller) {
    this.caller = caller
  }

  send(method: string, path: string, headers: http.OutgoingHttpHeaders = {}, body?: string | Uint8Array) {
    const options = { method, headers: { 'Tus-Resumable': '1.0.0', ...headers } }
    return this.caller.call(path, body === undefined ? options : { ...options, body })
  }

  create({ name = 'file.bin', length = 10, metadata = {}, headers = {}, body }: NewUpload = {}): Promise<Answer> {
    const all = {
      'Upload-Metadata': metadataOf({ filename: name, ...metadata }),
      ...(length === null ? { 'Upload-Defer-Length': '1' } : { 'Upload-Length': String(length) }),
      ...(body === undefined ? { 'Content-Length': '0' } : { 'Content-Type': octets }),
      ...headers,
    }
    return this.send('POST', '/tus', all, body)
  }

  /** Creates an upload and returns its path. */
  async begin(upload: NewUpload = {}): Promise<string> {
    const { status, headers, json } = await this.create(upload)
    if (status !== 201) throw new Error(`creation: ${status} ${JSON.stringify(json)}`)
    return headers.location!
  }

  patch(path: string, offset: number | string, body: string | Uint8Array, headers: http.OutgoingHttpHeaders = {}) {
    return this.send('PATCH', path, { 'Content-Type': octets, 'Upload-Offset': String(offset), ...headers }, body)
  }

  head(path: string): Promise<Answer> {
    return this.send('HEAD', path)
  }

  async offset(path: string): Promise<number> {
    return Number((await this.head(path)).headers['upload-offset'])
  }

  remove(path: string): Promise<Answer> {
    return this.send('DELETE', path)
  }

  /** Sends the first bytes of a PATCH and waits until the server has them; the rest is the test's to send. */
  async hold(
    path: string,
    offset: number,
    first: string | Uint8Array,
    headers: http.OutgoingHttpHeaders = { 'Content-Length': '1000000' },
  ): Promise<HeldChunk> {
    const request = this.caller.open(path, {
      method: 'PATCH',
      headers: { 'Tus-Resumable': '1.0.0', 'Content-Type': octets, 'Upload-Offset': String(offset), ...headers },
    })
    const answer = answerOf(request)
    answer.catch(() => {})
    request.write(first)
    const bytes = offset + Buffer.byteLength(first)
    await eventually('the chunk is under way', async () => (await this.caller.job(idOf(path))).bytes === bytes)
    return { request, answer }
  }
}

/** The states of an upload between two requests: with several servers, the second one may have come to another server. */
export const betweenRequests: JobState[] = isFleet ? ['running', 'interrupted'] : ['running']

/** Those of an upload that was created, perhaps by another server than the one that has its first bytes. */
export const beforeFirstBytes: JobState[] = isFleet ? ['waiting', 'interrupted'] : ['waiting']

export const octets = 'application/offset+octet-stream'

/** The id of the upload, which is that of its job. */
export function idOf(path: string): string {
  return path.slice('/tus/'.length)
}

export function metadataOf(pairs: Record<string, string>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value).toString('base64')}`)
    .join(',')
}

export function checksumOf(algorithm: string, bytes: string | Uint8Array): string {
  return `${algorithm} ${createHash(algorithm).update(bytes).digest('base64')}`
}

export function sha256Of(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

export function reprDigestOf(bytes: string | Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`
}
