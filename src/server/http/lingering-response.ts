import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { requestLength } from '../../protocol/body-length.js'

/**
 * A response that reaches its client also in the middle of the request's body. Node closes such a connection as soon as
 * the response has ended, and a client that is still sending gets a broken pipe instead of the response. So: announce
 * `Connection: close`, send the response at once, discard the remaining body, and close after the client has, or after
 * a timeout (RFC 9112 section 9.6, a lingering close).
 */
export class LingeringResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  /** Turns a response of another HTTP server into this class; one of a class of its own stays as it is. */
  static of(outgoing: ServerResponse): ServerResponse {
    const isPlain = Object.getPrototypeOf(outgoing) === ServerResponse.prototype
    return isPlain ? Object.setPrototypeOf(outgoing, LingeringResponse.prototype) : outgoing
  }

  /**
   * Writes a few bytes of an interim response (RFC 9110 section 15.2), which ends only with `endProbe` or the final
   * response: one interim response for hours, because some clients accept at most five.
   */
  probe(statusLine: string): void {
    if (this.headersSent || !this.socket || this.socket.destroyed) return
    const probes = probesOf.get(this) ?? 0
    if (probes === longestInterim) this.endProbe()
    this.socket.write(probesOf.has(this) ? '.' : `HTTP/1.1 ${statusLine}\r\nFilejobs-Held: .`)
    probesOf.set(this, (probesOf.get(this) ?? 0) + 1)
  }

  endProbe(): void {
    if (probesOf.delete(this)) this.socket?.write('\r\n\r\n')
  }

  override writeContinue(callback?: () => void): void {
    this.endProbe()
    super.writeContinue(callback)
  }

  // biome-ignore lint/suspicious/noExplicitAny: the overloads of writeHead have no common type
  override writeHead(statusCode: number, ...rest: any[]): this {
    this.endProbe()
    if (statusCode >= 200 && isReceiving(this.req)) {
      lingering.add(this)
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
    if (!lingering.has(this) || !isReceiving(this.req)) return super.end(...args)
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.write(chunk)
    else this.flushHeaders()
    linger(this.req, () => super.end(args.find((argument) => typeof argument === 'function')))
    return this
  }
}

// Not fields, which a response has only if it was constructed as one of this class.
/** The bytes of the interim response under way. */
const probesOf = new WeakMap<ServerResponse, number>()
const lingering = new WeakSet<ServerResponse>()

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
