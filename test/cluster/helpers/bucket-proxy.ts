import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { inject, onTestFinished } from 'vitest'
import { deferred } from '../../../dist/server/concurrency/deferred.js'

/**
 * `busy`: 503 SlowDown. `cut`: the connection is reset when the request has arrived. `lost`: the request is done, but the
 * connection is reset instead of a response. `short`: the body ends before its declared length. `other-length`: the bytes
 * are not those that were asked for. `silent`: nothing comes back. `deaf`: the body of the request is not read to its end.
 * `other-range`: the right number of other bytes. `ignored`: a success, but nothing was done. `truncated`: the bucket gets half of the body, then the end of the connection.
 * `half-head` and `half-body`: nothing more comes after the first half. `late-error`: a failure after the status 200.
 * `missing-in-chunks`: 404, whose body has no declared length and comes after the head.
 */
export type BucketFault =
  | 'busy'
  | 'cut'
  | 'lost'
  | 'short'
  | 'other-length'
  | 'other-range'
  | 'ignored'
  | 'silent'
  | 'deaf'
  | 'truncated'
  | 'half-head'
  | 'half-body'
  | 'late-error'
  | 'missing-in-chunks'
  | 'forbidden'

export interface BucketProxy {
  origin: string
  /** What happens to the next requests, in order; null lets one through. Those after that are let through. */
  faults: (BucketFault | null)[]
  /** The methods of all requests so far. */
  readonly requests: string[]
  /** Keeps the requests that arrive until `release`. */
  hold(): void
  /** The same, from the n-th request for an object of a file on. */
  holdAt(request: number): void
  /** Whether it keeps requests. */
  readonly isHolding: boolean
  release(): void
}

/** A proxy in front of the S3 server with the faults that a test wants. */
export async function startBucketProxy(): Promise<BucketProxy> {
  const target = new URL(inject('bucket')!.origin)
  let held = deferred()
  held.resolve()
  let isHolding = false
  let holdAt = Number.POSITIVE_INFINITY
  const server = http.createServer(async (request, response) => {
    proxy.requests.push(request.method!)
    if (request.url!.includes('/o/') && --holdAt === 0) proxy.hold()
    const fault = proxy.faults.shift() ?? null
    if (fault === 'deaf' && request.method === 'PUT') return void request.once('data', () => request.pause())
    // The client may be killed meanwhile.
    const body = await buffer(request).catch(() => undefined)
    await held.promise
    if (!body || request.socket.destroyed) return
    if (fault === 'silent') return
    if (fault === 'half-head') return void request.socket.write('HTTP/1.1 200 OK\r\nContent-Le')
    if (fault === 'cut') return request.socket.resetAndDestroy()
    if (fault === 'busy') return response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>')
    if (fault === 'ignored') return response.writeHead(204).end()
    if (fault === 'forbidden') return response.writeHead(403).end()
    if (fault === 'late-error') return response.writeHead(200).end('<Error><Code>InternalError</Code></Error>')
    if (fault === 'missing-in-chunks') {
      response.writeHead(404).flushHeaders()
      return void setImmediate(() => response.end('<Error><Code>NoSuchKey</Code></Error>'))
    }
    const { method, url, headers } = request
    const forwarded = http.request({ hostname: target.hostname, port: target.port, method, path: url, headers })
    if (fault === 'truncated') {
      forwarded.on('error', () => {})
      forwarded.write(body.subarray(0, body.length / 2), () => forwarded.socket!.end())
      await once(forwarded, 'close')
      return request.socket.resetAndDestroy()
    }
    forwarded.end(body)
    const [answer] = (await once(forwarded, 'response')) as [http.IncomingMessage]
    const bytes = await buffer(answer)
    if (fault === 'lost') return request.socket.resetAndDestroy()
    if (fault === 'other-length') {
      return response.writeHead(answer.statusCode!, { 'Content-Length': 3 }).end('abc')
    }
    if (fault === 'other-range') bytes.reverse()
    response.writeHead(answer.statusCode!, answer.headers)
    if (fault !== 'short' && fault !== 'half-body') return response.end(bytes)
    const half = bytes.subarray(0, bytes.length / 2)
    response.write(half, () => fault === 'short' && request.socket.resetAndDestroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy: BucketProxy = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: [],
    requests: [],
    hold() {
      isHolding = true
      held = deferred()
    },
    holdAt(request) {
      holdAt = request
    },
    get isHolding() {
      return isHolding
    },
    release() {
      holdAt = Number.POSITIVE_INFINITY
      isHolding = false
      held.resolve()
    },
  }
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return proxy
}
