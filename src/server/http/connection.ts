import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientLeft } from '../transfers/receiving.js'

/** Aborts with `client-left` when the connection closes before the response has been sent. */
export function leftSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController()
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) controller.abort(clientLeft())
  })
  if (outgoing.destroyed) controller.abort(clientLeft())
  return controller.signal
}

/**
 * Ends the connection by a reset. A mere close is a clean end for a reader that knows no length, such as one of
 * HTTP/1.0, which would take half a file for the whole.
 */
export function cut(outgoing: ServerResponse): void {
  const socket: (Socket & { _parent?: Socket }) | null = outgoing.socket
  if (!socket) return // Below TLS lies the socket that can be reset.
  ;(socket._parent ?? socket).resetAndDestroy()
  socket.destroy()
}

/**
 * Sends an interim `102 Processing` (RFC 2518 section 10.1) every few seconds while `isHeld()`: a connection that nobody
 * reads tells nothing of a peer that died, until something is written to it. Returns the function that ends it.
 */
export function probeWhileHeld(incoming: IncomingMessage, outgoing: ServerResponse, isHeld: () => boolean): () => void {
  if (incoming.httpVersion === '1.0') return () => {}
  const timer = setInterval(() => {
    if (isHeld() && !outgoing.headersSent && !outgoing.destroyed) outgoing.writeProcessing()
  }, probeMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** Two probes find a dead peer: the first is answered by a reset, the second meets it. Together less than 20 s. */
const probeMs = 8_000
