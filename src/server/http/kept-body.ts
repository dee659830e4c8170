import type { IncomingMessage } from 'node:http'

const bodies = new WeakMap<IncomingMessage, Buffer>()

/** Keeps a small body that was read, in case its request is forwarded. */
export function keepBody(incoming: IncomingMessage, body: Buffer): void {
  bodies.set(incoming, body)
}

/** Undefined if it was not kept. */
export function keptBody(incoming: IncomingMessage): Buffer | undefined {
  return bodies.get(incoming)
}
