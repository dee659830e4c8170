import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { RequestError } from '@hono/node-server'
import { Problem, problemBody } from '../../protocol/problems.js'
import { clientLeft } from '../transfers/receiving.js'
import { breakOff, cut } from './connection.js'

/**
 * Answers what is no HTTP, or a body that breaks its own framing. `outgoing`: the answer that is due on the connection,
 * where there is one. Whoever works on it is told, so that nothing is published of a request that turns out to be a lie.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, outgoing?: ServerResponse): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  else if (!outgoing) endWith(refusals[error.code ?? ''] ?? noHttp, socket)
  // In the middle of an answer, another one would become a part of its content.
  else if (outgoing.headersSent && outgoing.req.complete) cut(outgoing)
  else if (outgoing.headersSent) socket.destroySoon()
  else if (!breakOff(outgoing, faultOf(error))) endWith({ status: 400, message: brokenBody }, socket)
}

/** Answers what the HTTP library refuses before our handlers see it: a target or a Host header that makes no URL. */
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
  status: number
  message: string
}

const brokenBody = 'The request is not as its headers say: its body is too long, or a chunk of it is malformed.'
const noHttp: Refusal = { status: 400, message: 'This is no request of HTTP/1.1.' }
const refusals: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: { status: 431, message: 'The headers of the request are longer than 16 KiB.' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, message: 'The extensions of a chunk are longer than 16 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, message: 'The headers of the request did not come in time.' },
}

function wordRefusal({ status, message }: Refusal): string {
  return JSON.stringify({ ...problemBody(new Problem('invalid-request', message)), status })
}

function faultOf(cause: NodeJS.ErrnoException): Problem {
  if (cause.code === 'HPE_INVALID_EOF_STATE') return clientLeft()
  return new Problem('invalid-request', brokenBody, {}, { cause })
}

/** Lets the answer arrive, and does not wait for a peer that never closes its end. */
function endWith(refusal: Refusal, socket: Socket): void {
  const body = wordRefusal(refusal)
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
