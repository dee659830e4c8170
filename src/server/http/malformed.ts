import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { RequestError } from '@hono/node-server'
import { Problem, type ProblemCode, problemBody } from '../../protocol/problems.js'
import { clientLeft } from '../transfers/receiving.js'
import { breakOff, cut } from './connection.js'
import { hasBody } from './lingering-response.js'
import type { Pipelines } from './pipelines.js'

/**
 * Responds to malformed HTTP and to bodies with invalid framing. The work of a request that contradicts its headers is
 * aborted, so that nothing of it is published; requests before it get their responses.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, pipelines: Pipelines): void {
  const [outgoing, newest] = [pipelines.running(socket), pipelines.newest(socket)]
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  // `checkHead` rejects it, in order.
  else if (error.code === 'HPE_INVALID_TRANSFER_ENCODING' && newest && !hasTwoLengths(error)) return
  // RFC 9112 section 9.6: data after a request with "Connection: close" is not processed. A body may be longer than
  // declared.
  else if (error.code === 'HPE_CLOSED_CONNECTION' && newest && !hasBody(newest.req)) return
  else if (!outgoing || !newest) endWith(refusalOf(error), socket)
  else if (newest !== outgoing || isBehind(error, newest)) {
    if (newest !== outgoing && !isBehind(error, newest)) pipelines.dropNewest(socket)
    pipelines.endAfterPending(socket, () => endWith(refusalOf(error), socket))
  }
  // In the middle of a response, another one would become part of its content.
  else if (outgoing.headersSent && outgoing.req.complete) cut(outgoing)
  else if (outgoing.headersSent) socket.destroySoon()
  else if (!breakOff(outgoing, faultOf(error))) endWith({ status: 400, message: brokenBody }, socket)
}

/** Responds to CONNECT, which Node emits without a response: this server is no proxy. */
export function answerConnect(socket: Socket): void {
  endWith(
    { code: 'method-not-allowed', status: 405, message: 'CONNECT is not supported: this server is not a proxy.' },
    socket,
  )
}

/**
 * Responds to requests that the HTTP library rejects before our handlers: a target or Host header that is no valid URL.
 */
export function answerUnreadable(error: unknown): Response {
  const isRequest = error instanceof RequestError
  const problem = isRequest
    ? new Problem('invalid-request', `The request cannot be read: ${error.message}.`)
    : new Problem('internal', 'Something broke in the server.')
  return new Response(JSON.stringify(problemBody(problem)), {
    status: problem.status,
    headers: { 'Content-Type': 'application/problem+json' },
  })
}

interface Refusal {
  /** Default: `invalid-request`. */
  code?: ProblemCode
  status: number
  message: string
}

const brokenBody = 'The request is not as its headers say: its body is too long, or a chunk of it is malformed.'
const noHttp: Refusal = { status: 400, message: 'This is no request of HTTP/1.1.' }
const twoLengths: Refusal = { status: 400, message: 'The request has both a Content-Length and a Transfer-Encoding.' }
const refusals: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The headers of the request are longer than 16 KiB.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The extensions of a chunk are longer than 16 KiB.' },
  HPE_INVALID_TRANSFER_ENCODING: {
    code: 'not-implemented',
    status: 501,
    message: 'Only the transfer coding chunked is supported.',
  },
  HPE_INVALID_EOF_STATE: { status: 400, message: 'The connection ended before the request was complete.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The headers of the request did not come in time.' },
}

/**
 * RFC 9112 section 6.3: "might indicate an attempt to perform request smuggling"; Node's parser ends at its headers.
 */
function hasTwoLengths({ reason }: NodeJS.ErrnoException & { reason?: string }): boolean {
  return /can't be present with/.test(reason ?? '')
}

/**
 * Whether the request is whole, so that only the next one is malformed or incomplete. Other data behind a body may be a
 * part of it, and a response that has begun is cut, because its client may not read it.
 */
function isBehind({ code }: NodeJS.ErrnoException, { req, headersSent }: ServerResponse): boolean {
  const isIncomplete = code === 'HPE_INVALID_EOF_STATE' || code === 'ERR_HTTP_REQUEST_TIMEOUT'
  return req.complete && (isIncomplete || (!hasBody(req) && !headersSent))
}

function refusalOf(error: NodeJS.ErrnoException): Refusal {
  return hasTwoLengths(error) ? twoLengths : (refusals[error.code ?? ''] ?? noHttp)
}

function formatRefusal({ code = 'invalid-request', status, message }: Refusal): string {
  return JSON.stringify({ ...problemBody(new Problem(code, message)), status })
}

function faultOf(cause: NodeJS.ErrnoException): Problem {
  if (cause.code === 'HPE_INVALID_EOF_STATE') return clientLeft()
  return new Problem('invalid-request', brokenBody, {}, { cause })
}

/** Lets the response arrive, but does not wait for a peer that never closes. */
function endWith(refusal: Refusal, socket: Socket): void {
  const body = formatRefusal(refusal)
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Connection: close',
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  socket.once('close', () => clearTimeout(timer))
}

const patienceMs = 1000
