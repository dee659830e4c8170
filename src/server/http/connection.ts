import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Problem } from '../../protocol/problems.js'
import { clientLeft } from '../transfers/receiving.js'
import { LingeringResponse } from './lingering-response.js'

/**
 * Aborts with `client-left` when the connection closes before the response has been sent, or with what `breakOff` says
 * or has said.
 */
export function leftSignal(outgoing: ServerResponse): AbortSignal {
  const controller = controllerOf(outgoing)
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) controller.abort(clientLeft())
  })
  if (outgoing.destroyed) controller.abort(clientLeft())
  return controller.signal
}

/** Ends the work on a request because of what came on its connection. False where nobody listens yet. */
export function breakOff(outgoing: ServerResponse, reason: Problem): boolean {
  const isListenedTo = controllers.has(outgoing)
  controllerOf(outgoing).abort(reason)
  return isListenedTo
}

const controllers = new WeakMap<ServerResponse, AbortController>()

function controllerOf(outgoing: ServerResponse): AbortController {
  const controller = controllers.get(outgoing) ?? new AbortController()
  controllers.set(outgoing, controller)
  return controller
}

/**
 * How many bytes of the response the network has still to take: it shrinks while a reader reads, however slowly. Node
 * itself looks there before it calls a socket idle.
 */
export function unsentBytes(outgoing: ServerResponse): number {
  const socket: (Socket & { _handle?: { writeQueueSize?: number } | null }) | null = outgoing.socket
  return socket?._handle?.writeQueueSize ?? 0
}

/**
 * Ends the connection by a reset. A mere close is a clean end for a reader that knows no length, such as one of
 * HTTP/1.0, which would take half a file for the whole.
 */
export function cut(outgoing: ServerResponse): void {
  const socket: (Socket & { _parent?: Socket }) | null = outgoing.socket
  // Below TLS lies the socket that can be reset. TLS's own closes with it; to destroy that one too has crashed Node.
  const below = socket?._parent ?? socket
  below?.resetAndDestroy()
}

/**
 * Writes a byte of an interim answer every few seconds while nobody reads the request's body: one that is paused, paced
 * slowly, or waits for its turn. Such a connection tells nothing of a peer that died, until something is written to it.
 * Returns the function that ends it.
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

/** HTTP/1.0 knows no interim answers, and nginx takes one for the answer itself. */
function bearsProbes({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion !== '1.0' && !proxyHeaders.some((name) => headers[name] !== undefined)
}

const proxyHeaders = ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']

/** Python's http.client passes over 100 and no other; undici, which is Node's fetch, over all but 100. */
const takes100Only = /python|httpie/i

/** One look, then a probe that a dead peer answers by a reset, then one that meets it: 12 s of the 20 s promised. */
const probeMs = 4_000
