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
 * Sends an interim `102 Processing` (RFC 2518 section 10.1) every few seconds while nobody reads the request's body: one
 * that is paused, paced slowly, or waits for its turn. Such a connection tells nothing of a peer that died, until
 * something is written to it. HTTP/1.0 knows no interim answers. Returns the function that ends it.
 */
export function probeWhileUnread(incoming: IncomingMessage, outgoing: ServerResponse): () => void {
  if (incoming.httpVersion === '1.0') return () => {}
  const { socket } = incoming
  let bytesRead = -1
  const timer = setInterval(() => {
    const unread = incoming.readableFlowing !== true && socket.bytesRead === bytesRead
    bytesRead = socket.bytesRead
    if (unread && !incoming.complete && !outgoing.headersSent && !outgoing.destroyed) outgoing.writeProcessing()
  }, probeMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** The first probe of a dead peer is answered by a reset, which the second meets: 15 s at most, of the 20 s promised. */
const probeMs = 5_000
