import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Problem } from '../../protocol/problems.js'
import { clientLeft } from '../transfers/receiving.js'
import { LingeringResponse } from './lingering-response.js'

/**
 * Aborted with `client-left` when the connection closes before the response has been sent, or with the reason of
 * `breakOff`, before or after this call. Also when the last bytes of the response are answered by a reset: the client
 * had closed its side only.
 */
export function leftSignal(outgoing: ServerResponse): AbortSignal {
  const controller = controllerOf(outgoing)
  if (watched.has(outgoing)) return controller.signal
  watched.add(outgoing)
  const { socket } = outgoing.req
  // Node's own listener closes the connection.
  outgoing.prependListener('finish', () => {
    if (socket.readableEnded && isReset(socket)) controller.abort(clientLeft())
  })
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) controller.abort(clientLeft())
  })
  if (outgoing.destroyed) controller.abort(clientLeft())
  return controller.signal
}

/**
 * Like `leftSignal`, and also aborted when the client has closed its sending side. That may be a half-close, whose
 * response is still read (RFC 9112 section 9.6), or the only sign of a disconnected client while nothing is written to
 * it. So it counts as a disconnect for requests that wait, are paused or stream events.
 */
export function hangUpSignal(outgoing: ServerResponse): AbortSignal {
  const controller = new AbortController()
  const { socket } = outgoing.req
  const hangUp = () => controller.abort(clientLeft())
  if (socket.readableEnded) hangUp()
  socket.once('end', hangUp)
  outgoing.once('close', () => socket.off('end', hangUp))
  return AbortSignal.any([leftSignal(outgoing), controller.signal])
}

/**
 * Closes a connection that was reset. Node reports that as a half-close if data arrived just before: libuv takes both
 * for the end of the data.
 */
export function closeIfReset(socket: Socket): void {
  socket.once('end', () => {
    if (isReset(socket)) socket.destroy()
  })
}

/** The system does not know the peer of a connection that was reset. `remoteAddress` may be cached. */
function isReset(socket: Socket & { _handle?: { getpeername?(result: object): number } | null }): boolean {
  return !!socket._handle?.getpeername && socket._handle.getpeername({}) !== 0
}

/** Aborts the work on a request because of data on its connection. Returns false if no listener is registered yet. */
export function breakOff(outgoing: ServerResponse, reason: Problem): boolean {
  const isListenedTo = controllers.has(outgoing)
  controllerOf(outgoing).abort(reason)
  return isListenedTo
}

const controllers = new WeakMap<ServerResponse, AbortController>()
/** Those that already have listeners. */
const watched = new WeakSet<ServerResponse>()

function controllerOf(outgoing: ServerResponse): AbortController {
  const controller = controllers.get(outgoing) ?? new AbortController()
  controllers.set(outgoing, controller)
  return controller
}

/**
 * The bytes of the response that the network has not accepted yet: they decrease while the client reads, however
 * slowly. Node checks the same before it calls a socket idle.
 */
export function unsentBytes(outgoing: ServerResponse): number {
  const socket: (Socket & { _handle?: { writeQueueSize?: number } | null }) | null = outgoing.socket
  return socket?._handle?.writeQueueSize ?? 0
}

/**
 * Resets the connection. A client that does not know the length, as with HTTP/1.0, would take a normal close for the
 * successful end of a truncated file.
 */
export function cut(outgoing: ServerResponse): void {
  const socket: (Socket & { _parent?: Socket }) | null = outgoing.socket
  // The socket below TLS can be reset. The TLS socket closes with it; destroying that one too has crashed Node.
  const below = socket?._parent ?? socket
  below?.resetAndDestroy()
}

/**
 * Writes a byte of an interim response every few seconds while the request's body is not read: a request that is
 * paused, slowed down, or waiting for a slot. Such a connection does not report a dead peer until something is written
 * to it. Returns a function that stops it.
 */
export function probeWhileUnread(incoming: IncomingMessage, outgoing: ServerResponse): () => void {
  if (!(outgoing instanceof LingeringResponse) || !bearsProbes(incoming)) return () => {}
  const statusLine = takes100Only.test(incoming.headers['user-agent'] ?? '') ? '100 Continue' : '102 Processing'
  const { socket } = incoming
  let bytesRead = -1
  const timer = setInterval(() => {
    const unread = incoming.readableFlowing !== true && socket.bytesRead === bytesRead && !incoming.complete
    bytesRead = socket.bytesRead
    if (unread) outgoing.probe(statusLine)
    else outgoing.endProbe()
  }, probeMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** HTTP/1.0 has no interim responses, and nginx takes one for the final response. */
function bearsProbes(incoming: IncomingMessage): boolean {
  return !isProxied(incoming)
}

/** Whether a proxy forwarded the request, judging by its headers: nginx uses HTTP/1.0 by default. */
export function isProxied({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.0' || proxyHeaders.some((name) => headers[name] !== undefined)
}

const proxyHeaders = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']

/** Python's http.client ignores only 100; undici, which is Node's fetch, ignores all but 100. */
const takes100Only = /python|httpie/i

/** One check, a probe that a dead peer answers by a reset, and another that detects it: 12 s of the promised 20 s. */
const probeMs = 4_000
