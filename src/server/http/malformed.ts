import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Problem } from '../../protocol/problems.js'
import { clientLeft } from '../transfers/receiving.js'
import { breakOff, cut } from './connection.js'

/**
 * Answers what is no HTTP, or a body that breaks its own framing. `outgoing`: the answer that is due on the connection,
 * where there is one. Whoever works on it is told, so that nothing is published of a request that turns out to be a lie.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, outgoing?: ServerResponse): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  else if (!outgoing) endWith(statusLines[error.code ?? ''] ?? badRequest, socket)
  // In the middle of an answer, another one would become a part of its content.
  else if (outgoing.headersSent && outgoing.req.complete) cut(outgoing)
  else if (outgoing.headersSent) socket.destroySoon()
  else if (!breakOff(outgoing, faultOf(error))) endWith(badRequest, socket)
}

const badRequest = '400 Bad Request'
const statusLines: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function faultOf(cause: NodeJS.ErrnoException): Problem {
  if (cause.code === 'HPE_INVALID_EOF_STATE') return clientLeft()
  const message = 'The request is not as its headers say: its body is too long, or a chunk of it is malformed.'
  return new Problem('invalid-request', message, {}, { cause })
}

/** Lets the answer arrive, and does not wait for a peer that never closes its end. */
function endWith(statusLine: string, socket: Socket): void {
  socket.end(`HTTP/1.1 ${statusLine}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  const timer = setTimeout(() => socket.destroy(), patienceMs)
  socket.once('close', () => clearTimeout(timer))
}

const patienceMs = 1000
