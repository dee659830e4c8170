import type { IncomingHttpHeaders } from 'node:http'
import { responseLength } from '../../../protocol/body-length.js'

export interface ResponseHead {
  status: number
  /** Of the body; null if it is not announced. */
  length: number | null
  /** Whether the connection can carry another request after the body. */
  keepsAlive: boolean
  /** Of the head itself. */
  bytes: number
}

/** The head of a response (RFC 9112); undefined while it is not complete. Throws if it is none. */
export function parseResponseHead(received: Buffer): ResponseHead | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) {
    if (received.length > maxHeadBytes) throw new Error('The head of the response is too long.')
    return undefined
  }
  const [statusLine = '', ...lines] = received.toString('latin1', 0, end).split('\r\n')
  const [, version, status] = /^HTTP\/(1\.[01]) (\d{3})(?: |$)/.exec(statusLine) ?? []
  if (version === undefined) throw new Error('The response has no status line of HTTP/1.')
  const headers: IncomingHttpHeaders = {}
  for (const line of lines) {
    const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined) throw new Error('The response has a header without a name.')
    headers[name.toLowerCase()] = value
  }
  const length = responseLength(headers)
  if (length !== null && !Number.isSafeInteger(length)) throw new Error('The response has no valid length.')
  const keepsAlive = version === '1.1' && length !== null && !/\bclose\b/i.test(headers.connection ?? '')
  return { status: Number(status), length, keepsAlive, bytes: end + 4 }
}

const maxHeadBytes = 64 * 1024
