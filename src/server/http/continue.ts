import type { IncomingMessage, ServerResponse } from 'node:http'

/** Requests with `Expect: 100-continue`. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>()

/**
 * Records that the client waits for `100 Continue` (RFC 9110 section 10.1.1), so that errors from the headers are sent
 * first.
 */
export function awaitContinue(incoming: IncomingMessage, outgoing: ServerResponse): void {
  waiting.set(incoming, outgoing)
}

/**
 * Sends `100 Continue` before the body is read. Repeating it, or calling it for a client that does not wait, is no
 * error.
 */
export function sendContinue(incoming: IncomingMessage): void {
  waiting.get(incoming)?.writeContinue()
  waiting.delete(incoming)
}
