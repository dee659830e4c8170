import type { IncomingMessage } from 'node:http'
import { Problem } from '../../../protocol/problems.js'

/**
 * Throws `unsupported-media-type` if a body is encoded (`Content-Encoding`, RFC 9110 section 8.4): it would be stored
 * encoded, as another file than the client means. `Accept-Encoding` in the response says so (section 15.5.16).
 */
export function checkNotCoded({ headers }: Pick<IncomingMessage, 'headers'>): void {
  const codings = (headers['content-encoding'] ?? '').split(',').map((coding) => coding.trim().toLowerCase())
  const unknown = codings.find((coding) => coding !== '' && coding !== 'identity')
  if (unknown === undefined) return
  const message = `Content-Encoding: the body is coded as "${unknown}", which this server does not decode: send it as it is.`
  throw new Problem('unsupported-media-type', message, { field: 'Content-Encoding', acceptEncoding: 'identity' })
}
