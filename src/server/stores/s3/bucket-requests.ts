import { once } from 'node:events'
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
import aws4 from 'aws4'
import { lengthHeader } from '../../../protocol/body-length.js'
import type { Clock } from '../../clock.js'
import { Semaphore } from '../../concurrency/semaphore.js'
import type { BucketAddress } from './bucket-address.js'
import { BrokenResponse, BucketError, bucketUnavailable, isMissingKey, isTemporary } from './bucket-errors.js'
import type { BucketCredentials } from './credentials.js'
import type { DownloadConnection } from './download-connection.js'
import { DownloadConnections } from './download-connections.js'
import type { ResponseHead } from './response-head.js'

/** Bytes to send; opened anew for each try. */
export interface SentBytes {
  readonly size: number
  readonly checksum: Checksum
  open(): SentChunks | Uint8Array
}

/** Each chunk is valid until the next one is asked for. */
export type SentChunks = AsyncIterable<Uint8Array>

/** In hexadecimal digits. The bucket compares it: a server may otherwise store what has arrived of a body that was cut. */
export type Checksum = { algorithm: 'sha256' | 'crc32'; value: string }

export interface BucketRequest {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Below the prefix of the address. */
  key: string
  /** Without the question mark, encoded. */
  query?: string
  headers?: Record<string, string>
  body?: SentBytes
  signal?: AbortSignal | undefined
}

export interface BucketRequestsOptions {
  address: BucketAddress
  credentials: BucketCredentials
  clock: Pick<Clock, 'after' | 'monotonicMs'>
  /** How long temporary failures are retried; default: 2 min. */
  retryMs?: number
  /** After this time without a byte in either direction a connection counts as broken; default: 60 s. */
  idleMs?: number
}

/** Sends signed requests to a bucket, and sends them again after temporary failures. */
export class BucketRequests {
  readonly address: BucketAddress
  readonly #options: Required<BucketRequestsOptions>
  readonly #module: typeof http | typeof https
  readonly #agent: http.Agent
  readonly #downloads: DownloadConnections
  /** Each body that is sent has its buffers: with hundreds at a time, those of all slow uploads whose objects are complete. */
  readonly #bodies = new Semaphore({ slots: bodiesAtOnce })

  constructor(options: BucketRequestsOptions) {
    this.address = options.address
    this.#options = { retryMs: 120_000, idleMs: 60_000, ...options }
    const { origin } = options.address
    this.#module = origin.protocol === 'https:' ? https : http
    this.#agent = new this.#module.Agent({ keepAlive: true })
    this.#downloads = new DownloadConnections({ origin, idleMs: this.#options.idleMs })
  }

  /** The whole response. Throws a `BucketError` for a missing key, and `storage-unavailable` for refusals and lasting failures. */
  send(request: BucketRequest): Promise<{ headers: IncomingHttpHeaders; body: string }> {
    return this.#retrying(request, async () => {
      const response = await (request.body
        ? this.#bodies.run('', request.signal, () => this.#once(request))
        : this.#once(request))
      const body = await text(response)
      // Some requests take so long that the status is sent before they fail.
      if (/^(?:<\?xml[^>]*>)?\s*<Error>/.test(body)) throw new BucketError(nameOf(request), 500, body)
      return { headers: response.headers, body }
    })
  }

  /**
   * Like `send`, for a request without a body; the body of the response is left to the caller, who reads or closes it. The signal
   * concerns only what is before it. `check` throws if it is not what was asked for.
   */
  open(request: BucketRequest, check: (response: ResponseHead) => void): Promise<DownloadConnection> {
    return this.#retrying(request, async (isNew) => {
      const { signal } = request
      const connection = this.#downloads.take(isNew)
      const { isReused } = connection
      const abort = () => connection.close(signal!.reason)
      signal?.addEventListener('abort', abort)
      try {
        const head = await connection.send(this.#format(request))
        if (!isSuccess(head.status)) throw await this.#failureOf(request, head, connection)
        check(head)
        return connection
      } catch (error) {
        connection.close()
        if (isReused && !(error instanceof BucketError)) ofReusedSockets.add(error as Error)
        throw error
      } finally {
        signal?.removeEventListener('abort', abort)
      }
    })
  }

  async #failureOf(request: BucketRequest, head: ResponseHead, connection: DownloadConnection): Promise<Error> {
    const body = head.length === null ? connection.arrived : Buffer.alloc(Math.min(head.length, maxErrorBytes))
    if (head.length !== null) await connection.read(body)
    const failure = new BucketError(nameOf(request), head.status, String(body))
    if (head.length !== null || head.status !== 404 || isMissingKey(failure)) return failure
    // Its body tells whether the object is missing, and comes in chunks, which Node decodes: the request is made again.
    const response = await this.#once(request)
    response.destroy()
    return new BrokenResponse(nameOf(request), `the status 404, and ${response.statusCode} when repeated`)
  }

  close(): void {
    this.#agent.destroy()
    this.#downloads.close()
  }

  /** The attempt is told whether it must not use a connection that was used before. */
  async #retrying<Result>({ signal }: BucketRequest, attempt: (isNew: boolean) => Promise<Result>): Promise<Result> {
    const { clock, retryMs } = this.#options
    const startedAt = clock.monotonicMs()
    let delayMs = firstDelayMs
    for (let isNew = false; ; ) {
      signal?.throwIfAborted()
      try {
        return await attempt(isNew)
      } catch (error) {
        signal?.throwIfAborted()
        if (!isTemporary(error)) throw isLasting(error) ? bucketUnavailable(error) : error
        // A kept connection that the other side has closed says nothing about the bucket.
        if (!isNew && isOfReusedSocket(error)) {
          isNew = true
          continue
        }
        if (clock.monotonicMs() - startedAt + delayMs > retryMs) throw bucketUnavailable(error)
      }
      await this.#wait(delayMs, signal)
      delayMs *= 2
    }
  }

  #wait(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel()
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#options.clock.after(delayMs, done)
      signal?.addEventListener('abort', done)
    })
  }

  async #once(request: BucketRequest): Promise<IncomingMessage> {
    const sent = this.#start(request)
    sent.on('timeout', () => sent.destroy(new Error('The bucket was silent for too long.')))
    // Also after the response: the rest of a body that the bucket has refused cannot be sent.
    sent.on('error', () => {})
    const responding = once(sent, 'response') as Promise<[IncomingMessage]>
    responding.catch(() => {})
    try {
      const bytes = request.body?.open()
      if (bytes === undefined || bytes instanceof Uint8Array) sent.end(bytes)
      else sendChunks(bytes, sent).catch((error) => sent.destroy(error))
      const [response] = await responding
      const { statusCode = 0 } = response
      if (isSuccess(statusCode)) return response
      throw new BucketError(nameOf(request), statusCode, await text(response))
    } catch (error) {
      sent.destroy()
      if (sent.reusedSocket && !(error instanceof BucketError)) ofReusedSockets.add(error as Error)
      throw error
    }
  }

  #start(request: BucketRequest): ClientRequest {
    const { signal } = request
    const { origin } = this.address
    return this.#module.request({
      ...this.#sign(request),
      agent: this.#agent,
      hostname: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port,
      // Counts while it connects, too, unlike `setTimeout`.
      timeout: this.#options.idleMs,
      ...(signal ? { signal } : {}),
    })
  }

  #format(request: BucketRequest): string {
    const { method, path, headers } = this.#sign(request)
    const lines = Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
  }

  #sign({ method, key, query, headers, body }: BucketRequest): aws4.Request {
    const { address, credentials } = this.#options
    const { origin, root, prefix, region } = address
    const sentHeaders = {
      Host: origin.host,
      'X-Amz-Content-Sha256': digestToSign(body),
      ...lengthHeader(body?.size ?? 0),
      ...(body ? checksumHeader(body) : {}),
      ...headers,
    }
    const path = `${root}${key === '' ? '' : prefix}${key}${query ? `?${query}` : ''}`
    return aws4.sign({ service: 's3', region, method, path, headers: sentHeaders }, credentials)
  }
}

async function sendChunks(chunks: SentChunks, sent: ClientRequest): Promise<void> {
  for await (const chunk of chunks) {
    await new Promise<void>((resolve, reject) => {
      const onClose = () => reject(new Error('The connection was closed.'))
      sent.once('close', onClose)
      sent.write(chunk, (error) => {
        sent.off('close', onClose)
        if (error) reject(error)
        else resolve()
      })
    })
  }
  sent.end()
}

/** Another checksum of the body is signed as a header. */
function digestToSign(body: SentBytes | undefined): string {
  if (!body) return emptySha256
  return body.checksum.algorithm === 'sha256' ? body.checksum.value : 'UNSIGNED-PAYLOAD'
}

function checksumHeader({ checksum: { algorithm, value } }: SentBytes): Record<string, string> {
  return { [`x-amz-checksum-${algorithm}`]: Buffer.from(value, 'hex').toString('base64') }
}

function isLasting(error: unknown): boolean {
  return error instanceof BucketError && !isMissingKey(error)
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

function nameOf({ method, key }: BucketRequest): string {
  return `${method} ${key}`
}

/** Errors of connections that had carried a request before. */
const ofReusedSockets = new WeakSet<Error>()

function isOfReusedSocket(error: unknown): boolean {
  return error instanceof Error && ofReusedSockets.has(error)
}

const bodiesAtOnce = 16
const firstDelayMs = 1000
const maxErrorBytes = 64 * 1024
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
