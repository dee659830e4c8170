import type { IncomingMessage } from 'node:http'

/** The path that represents `OPTIONS *`, because the HTTP library accepts only targets that are paths. */
export const wholeServer = '/*'

/** Gives the target `*` (RFC 9112 section 3.2.4), which is for OPTIONS alone, a path. */
export function readAsteriskForm(incoming: IncomingMessage): void {
  if (incoming.method === 'OPTIONS' && incoming.url === '*') incoming.url = wholeServer
}
