import { once } from 'node:events'
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import aws4 from 'aws4'
import { lengthHeader } from '../../../protocol/body-length.js'
import type { Clock } from '../../clock.js'
import type { BucketAddress } from './bucket-address.js'
import { BucketError, bucketUnavailable, isTemporary } from './bucket-errors.js'
import type { BucketCredentials } from './credentials.js'

/** Bytes to send; opened anew for each try. */
export interface SentBytes {
  readonly size: number
  /** In hexadecimal digits. */
  readonly sha256: string
  open(): Readable | Uint8Array
}

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
  /** After this time without a byte a connection counts as broken; default: 60 s. */
  idleMs?: number
}

/** Sends signed requests to a bucket, and sends them again after temporary failures. */
export class BucketRequests {
  readonly address: BucketAddress
  readonly #options: Required<BucketRequestsOptions>
  readonly #module: typeof http | typeof https
  readonly #agent: http.Agent

  constructor(options: BucketRequestsOptions) {
    this.address = options.address
    this.#options = { retryMs: 120_000, idleMs: 60_000, ...options }
    this.#module = options.address.origin.protocol === 'https:' ? https : http
    this.#agent = new this.#module.Agent({ keepAlive: true })
  }

  /** The whole response. Throws a `BucketError` for a lasting failure, and `storage-unavailable` if others last too long. */
  send(request: BucketRequest): Promise<{ headers: IncomingHttpHeaders; body: string }> {
    return this.#retrying(request, async () => {
      const response = await this.#once(request)
      const body = await text(response)
      // Some requests take so long that the status is sent before they fail.
      if (/^(?:<\?xml[^>]*>)?\s*<Error>/.test(body)) throw new BucketError(nameOf(request), 500, body)
      return { headers: response.headers, body }
    })
  }

  /** Like `send`; the body is left to the caller. `check` throws if it is not what was asked for. */
  open(request: BucketRequest, check: (response: IncomingMessage) => void): Promise<IncomingMessage> {
    return this.#retrying(request, async () => {
      const response = await this.#once(request)
      try {
        check(response)
        // It may break off before the caller reads it.
        response.on('error', () => {})
        return response
      } catch (error) {
        response.destroy()
        throw error
      }
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  async #retrying<Result>({ signal }: BucketRequest, attempt: () => Promise<Result>): Promise<Result> {
    const { clock, retryMs } = this.#options
    const startedAt = clock.monotonicMs()
    let delayMs = firstDelayMs
    for (let isFresh = false; ; ) {
      signal?.throwIfAborted()
      try {
        return await attempt()
      } catch (error) {
        signal?.throwIfAborted()
        if (!isTemporary(error)) throw error
        // A kept connection that the other side has closed says nothing about the bucket.
        if (!isFresh && isOfReusedSocket(error)) {
          isFresh = true
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
    sent.setTimeout(this.#options.idleMs, () => sent.destroy(new Error('The bucket was silent for too long.')))
    // Also after the response: the rest of a body that the bucket has refused cannot be sent.
    sent.on('error', () => {})
    const responding = once(sent, 'response') as Promise<[IncomingMessage]>
    responding.catch(() => {})
    try {
      const bytes = request.body?.open()
      if (bytes === undefined || bytes instanceof Uint8Array) sent.end(bytes)
      else pipeline(bytes, sent).catch((error) => sent.destroy(error))
      const [response] = await responding
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) return response
      throw new BucketError(nameOf(request), statusCode, await text(response))
    } catch (error) {
      sent.destroy()
      if (sent.reusedSocket && !(error instanceof BucketError)) ofReusedSockets.add(error as Error)
      throw error
    }
  }

  #start({ method, key, query, headers, body, signal }: BucketRequest): ClientRequest {
    const { address, credentials } = this.#options
    const { origin, root, prefix, region } = address
    const signed = aws4.sign(
      {
        service: 's3',
        region,
        method,
        path: `${root}${key === '' ? '' : prefix}${key}${query ? `?${query}` : ''}`,
        headers: {
          Host: origin.host,
          'X-Amz-Content-Sha256': body?.sha256 ?? emptySha256,
          ...lengthHeader(body?.size ?? 0),
          ...headers,
        },
      },
      credentials,
    )
    return this.#module.request({
      ...signed,
      agent: this.#agent,
      hostname: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port,
      ...(signal ? { signal } : {}),
    })
  }
}

function nameOf({ method, key }: BucketRequest): string {
  return `${method} ${key}`
}

/** Errors of connections that had carried a request before. */
const ofReusedSockets = new WeakSet<Error>()

function isOfReusedSocket(error: unknown): boolean {
  return error instanceof Error && ofReusedSockets.has(error)
}

const firstDelayMs = 1000
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
