import type { IncomingMessage, ServerResponse } from 'node:http'

/** Requests whose sender waits for `100 Continue` before it sends the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>()

/** Notes that the sender waits (RFC 9110 section 10.1.1), so that what headers can decide is decided first. */
export function awaitContinue(incoming: IncomingMessage, outgoing: ServerResponse): void {
  waiting.set(incoming, outgoing)
}

/** Lets the body come. Called before the body is read; calling it twice, or for a sender that does not wait, is no error. */
export function sendContinue(incoming: IncomingMessage): void {
  waiting.get(incoming)?.writeContinue()
  waiting.delete(incoming)
}
