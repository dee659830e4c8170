import { type IncomingMessage, type OutgoingHttpHeader, type OutgoingHttpHeaders, ServerResponse } from 'node:http'

/**
 * A response that reaches its reader also when it comes in the middle of the request's body. Node closes such a
 * connection as soon as the response has ended, and the sender, still sending, meets a broken pipe instead of the answer.
 * So: say that the connection will close, send the answer at once, drop what still comes, and end only when the sender
 * has ended or has been waited for long enough (RFC 9112 section 9.6, a lingering close).
 */
export class LingeringResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  #lingers = false
  #probes = 0

  /**
   * Writes a few bytes of an interim answer (RFC 9110 section 15.2), which ends only with `endProbe` or the answer itself:
   * one interim answer for hours, because some clients take no more than five.
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

/** True while bytes of the request's body may still come. */
function isReceiving(incoming: IncomingMessage): boolean {
  const { headers } = incoming
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
  return hasBody && !incoming.complete && !incoming.destroyed
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

/** In bytes, more or less: Node's clients take headers of 16 KiB. */
const longestInterim = 4000
const lingerMs = 30_000
const silenceMs = 5_000
const lingerBytes = 1024 ** 3
