import type { IncomingMessage } from 'node:http'

/** The value of a cookie of the request; undefined if it is missing or empty. */
export function requestCookie({ headers }: IncomingMessage, name: string): string | undefined {
  const pair = headers.cookie?.split(';').find((part) => part.trim().startsWith(`${name}=`))
  return pair?.slice(pair.indexOf('=') + 1).trim() || undefined
}
