import type { IncomingMessage } from 'node:http'
import type { Asker } from '../auth/authentication.js'
import { clientAddress } from '../auth/client-address.js'

/** Who sent the request, as the limits and the list of sessions know it. */
export function askerOf({ headers, socket }: IncomingMessage, trustProxy: number): Asker {
  // Node joins a repeated X-Forwarded-For with commas.
  const forwardedFor = headers['x-forwarded-for']?.toString()
  return {
    address: clientAddress(socket.remoteAddress, forwardedFor, trustProxy),
    client: headers['user-agent'] ?? '',
  }
}
