import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { requestLength } from '../../protocol/body-length.js'

/**
 * A response that reaches its client also in the middle of the request's body. Node closes such a connection as soon as
 * the response has ended, and a client that is still sending gets a broken pipe instead of the response. So: announce
 * `Connection: close`, send the response at once, discard the remaining body, and close after the client has, or after
 * a timeout (RFC 9112 section 9.6, a lingering close).
 */
export class LingeringResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  #lingers = false
  #probes = 0

  /**
   * Writes a few bytes of an interim response (RFC 9110 section 15.2), which ends only with `endProbe` or the final
   * response: one interim response for hours, because some clients accept at most five.
   */
  probe(statusLine: string): void {
    if (this.headersSent || !this.socket || this.socket.destroyed) return
    if (this.#probes === longestInterim) this.endProbe()
    this.socket.write(this.#probes > 0 ? '.' : `HTTP/1.1 ${statusLine}\r\nFilejobs-Held: .`)
    this.#probes++
  }

  endProbe(): void {
    if (this.#probes > 0) this.socket?.write('\r\n\r\n')
    this.#probes = 0
  }

  override writeContinue(callback?: () => void): void {
    this.endProbe()
    super.writeContinue(callback)
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of writeHead have no common type
  override writeHead(statusCode: number, ...rest: any[]): this {
    this.endProbe()
    if (statusCode >= 200 && isReceiving(this.req)) {
      this.#lingers = true
      this.shouldKeepAlive = false
      dropConnectionHeader(rest)
      this.setHeader('Connection', 'close')
    }
    return super.writeHead(statusCode, ...(rest as [OutgoingHttpHeaders | OutgoingHttpHeader[]]))
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of end have no common type
  override end(...args: any[]): this {
    const [chunk] = args
    if (!this.headersSent && isReceiving(this.req)) {
      if (!this.hasHeader('Content-Length')) this.setHeader('Content-Length', lengthOf(chunk))
      this.writeHead(this.statusCode)
    }
    if (!this.#lingers || !isReceiving(this.req)) return super.end(...args)
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.write(chunk)
    else this.flushHeaders()
    linger(this.req, () => super.end(args.find((argument) => typeof argument === 'function')))
    return this
  }
}

/** True while bytes of the request's body may still arrive. */
function isReceiving(incoming: IncomingMessage): boolean {
  return hasBody(incoming) && !incoming.complete && !incoming.destroyed
}

/** Whether the headers of the request announce a body (RFC 9112 section 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return requestLength(headers) !== 0
}

function linger(incoming: IncomingMessage, end: () => void): void {
  let dropped = 0
  let ended = false
  const finish = () => {
    if (ended) return
    ended = true
    clearTimeout(total)
    clearTimeout(silence)
    end()
  }
  const total = setTimeout(finish, lingerMs)
  const silence = setTimeout(finish, silenceMs)
  incoming.on('data', (chunk: Buffer) => {
    dropped += chunk.length
    silence.refresh()
    if (dropped > lingerBytes) finish()
  })
  incoming.on('end', finish).on('close', finish).on('error', finish)
  incoming.resume()
}

function lengthOf(chunk: unknown): number {
  return typeof chunk === 'string' || chunk instanceof Uint8Array ? Buffer.byteLength(chunk) : 0
}

function dropConnectionHeader(rest: unknown[]): void {
  for (const headers of rest) {
    if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) continue
    for (const name of Object.keys(headers)) {
      if (name.toLowerCase() === 'connection') delete (headers as OutgoingHttpHeaders)[name]
    }
  }
}

/** In bytes, approximately: Node's clients accept headers of 16 KiB. */
const longestInterim = 4000
const lingerMs = 30_000
const silenceMs = 5_000
const lingerBytes = 1024 ** 3
