import type { IncomingMessage } from 'node:http'

/** Whether a request changes nothing (RFC 9110 section 9.2.1). A method override may make it unsafe. */
export function isSafe({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && headers['x-http-method-override'] === undefined
}
