import http, {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from 'node:http'
import https from 'node:https'
import { pipeline } from 'node:stream'
import { Problem } from '../../protocol/problems.js'
import { cut, leftSignal } from './connection.js'
import { sendContinue } from './continue.js'
import { keptBody } from './kept-body.js'
import { hasBody } from './lingering-response.js'

/** The header of a request that was forwarded, with how many times. */
export const forwardedHeader = 'Filejobs-Forwarded'

/**
 * Passes a request on to another server, whose response is the response. Both bodies are streamed, with backpressure; what
 * ends one connection ends the other. Resolves when the response has been sent, or cut. Throws `busy` if that server does
 * not answer.
 */
export async function forwardRequest(incoming: IncomingMessage, outgoing: ServerResponse, to: string): Promise<void> {
  const onward = openRequest(incoming, to)
  const left = leftSignal(outgoing)
  const leave = () => onward.destroy()
  left.addEventListener('abort', leave)
  try {
    sendBody(incoming, onward)
    const response = await responseOf(onward)
    outgoing.writeHead(response.statusCode!, headersWithout(response, connectionHeaders))
    await new Promise<void>((resolve) => {
      response.once('aborted', () => cut(outgoing))
      pipeline(response, outgoing, () => resolve())
    })
  } finally {
    left.removeEventListener('abort', leave)
    onward.destroy()
  }
}

export function timesForwarded({ headers }: IncomingMessage): number {
  return Number(headers[forwardedHeader.toLowerCase()] ?? 0) || 0
}

function openRequest(incoming: IncomingMessage, to: string): ClientRequest {
  const { protocol, hostname, port } = new URL(to)
  const headers = {
    ...headersWithout(incoming, keptBody(incoming) ? bodyHeaders : connectionHeaders),
    [forwardedHeader]: String(timesForwarded(incoming) + 1),
  }
  const options = { hostname, port, method: incoming.method!, path: incoming.url!, headers, agent: false as const }
  return protocol === 'https:' ? https.request(options) : http.request(options)
}

function sendBody(incoming: IncomingMessage, onward: ClientRequest): void {
  // The response tells why it is gone.
  onward.on('error', () => {})
  const body = keptBody(incoming)
  if (body || !hasBody(incoming)) {
    onward.end(body)
    return
  }
  const send = () => {
    sendContinue(incoming)
    incoming.pipe(onward, { end: false })
    incoming.once('end', () => {
      if (Object.keys(incoming.trailers).length > 0) onward.addTrailers(incoming.trailers as Record<string, string>)
      onward.end()
    })
    onward.once('close', () => incoming.unpipe(onward))
  }
  if (onward.getHeader('Expect') === undefined) send()
  else {
    onward.once('continue', send)
    onward.flushHeaders()
  }
}

function responseOf(onward: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    onward.once('response', resolve)
    const fail = (cause?: unknown) => {
      const message = 'The server that runs the job does not answer: try again in some seconds.'
      reject(new Problem('busy', message, { retryAfter: retryAfterSeconds }, { cause }))
    }
    onward.once('error', fail)
    onward.once('close', () => fail())
  })
}

/** In their order and case, repeated ones included. */
function headersWithout({ rawHeaders }: IncomingMessage, without: ReadonlySet<string>): OutgoingHttpHeaders {
  const headers: Record<string, string[]> = {}
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (!without.has(name.toLowerCase())) headers[name] = [...(headers[name] ?? []), rawHeaders[at + 1]!]
  }
  return Object.fromEntries(
    Object.entries(headers).map(([name, values]) => [name, values.length === 1 ? values[0]! : values]),
  )
}

/** Of one connection only (RFC 9110 section 7.6.1), and the one that is set anew. */
const connectionHeaders: ReadonlySet<string> = new Set([
  forwardedHeader.toLowerCase(),
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Also those about the sending of a body that was read. Node adds its length, if that was not given. */
const bodyHeaders: ReadonlySet<string> = new Set([...connectionHeaders, 'expect', 'trailer'])

/** A dead server's jobs have ended by then. */
const retryAfterSeconds = 5
