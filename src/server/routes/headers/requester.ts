import type { IncomingMessage } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import { clientAddress } from '../../auth/client-address.js'
import type { Requester } from '../../auth/password-check.js'
import { leftSignal } from '../../http/connection.js'

/** The client of a login or signup, as the limits and the list of sessions identify it. */
export function requesterOf({ incoming, outgoing }: HttpBindings, trustProxy: number): Requester {
  return {
    address: addressOf(incoming, trustProxy),
    client: incoming.headers['user-agent'] ?? '',
    signal: leftSignal(outgoing),
  }
}

/** The client's address, by `clientAddress`. */
export function addressOf({ headers, socket }: IncomingMessage, trustProxy: number): string {
  // Node joins repeated X-Forwarded-For headers with commas.
  return clientAddress(socket.remoteAddress, headers['x-forwarded-for']?.toString(), trustProxy)
}
