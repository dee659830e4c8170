import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import { Problem } from '../../protocol/problems.js'
import type { AppEnv } from './app-env.js'

/** Rejects requests that Node's parser accepts although they cannot be served correctly. Throws like `checkHead`. */
export function headCheck(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { incoming, outgoing } = c.env
    try {
      checkHead(incoming)
    } catch (error) {
      // The end of its body may be ambiguous, too.
      outgoing.shouldKeepAlive = false
      throw error
    }
    await next()
  }
}

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'httpVersion'>

/**
 * Throws `invalid-request` for a missing or repeated Host, `expectation-failed`, and `not-implemented` for transfer
 * codings.
 */
export function checkHead({ headers, rawHeaders, httpVersion }: Head): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length
  // RFC 9112 section 3.2: "A server MUST respond with a 400". In HTTP/1.0 it may be missing.
  if (hosts > 1 || (hosts === 0 && httpVersion !== '1.0')) {
    const what = hosts === 0 ? 'is missing' : 'is given twice'
    throw new Problem('invalid-request', `Host: ${what}. Send the header once.`, { field: 'Host' })
  }
  const { expect, 'transfer-encoding': coding } = headers
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new Problem('expectation-failed', `Expect: "${expect}" is not known; only 100-continue is.`, {
      field: 'Expect',
    })
  }
  // RFC 9112 section 6.1: an unknown coding is 501. The encoded bytes must not be stored as the file.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    const advice = 'send the body with chunked alone, or with a Content-Length'
    throw new Problem('not-implemented', `Transfer-Encoding: "${coding}" is not supported: ${advice}.`, {
      field: 'Transfer-Encoding',
    })
  }
}
