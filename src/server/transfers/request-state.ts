import type { FileRequestRecord } from '../../protocol/file-requests.js'
import { Problem } from '../../protocol/problems.js'
import { countOf, formatBytes } from '../../protocol/units.js'
import type { FileRequest, RequestRefusal, RequestReservation } from '../stores/file-requests.js'

/** `now` in milliseconds since 1970. */
export function requestState(request: FileRequest, now: number): FileRequestRecord['state'] {
  if (request.revokedAt !== null) return 'revoked'
  if (Date.parse(request.expiresAt) <= now) return 'expired'
  const { filesLeft, bytesLeft } = leftOf(request)
  return filesLeft === 0 || bytesLeft === 0 ? 'full' : 'open'
}

/** Without what uploads under way have taken; null for any number. */
export function leftOf({ maxFiles, files, maxBytes, bytes }: FileRequest): {
  filesLeft: number | null
  bytesLeft: number | null
} {
  const filesLeft = maxFiles === null ? null : Math.max(0, maxFiles - files)
  return { filesLeft, bytesLeft: maxBytes === null ? null : Math.max(0, maxBytes - bytes) }
}

/** Throws `request-revoked`, `request-expired` and `request-full`. */
export function checkOpen(request: FileRequest, now: number): void {
  const state = requestState(request, now)
  if (state === 'revoked') throw requestRevoked()
  if (state === 'expired') {
    const end = `${request.expiresAt.slice(0, 16).replace('T', ' ')} UTC`
    throw new Problem('request-expired', `This link for uploads expired on ${end}: ask its sender for another one.`)
  }
  if (state === 'full') throw requestFull(request)
}

export function requestRevoked(): Problem {
  return new Problem('request-revoked', 'This link for uploads was revoked: it takes nothing any more.')
}

/** Why an upload gets no room of a link. */
export function takesNoMore(refusal: RequestRefusal, request: FileRequest, wanted: RequestReservation): Problem {
  if (refusal === 'revoked') return requestRevoked()
  const { filesLeft, bytesLeft } = leftOf(request)
  if (filesLeft === 0 || bytesLeft === 0) return requestFull(request)
  if (refusal === 'files' && wanted.files > filesLeft!) {
    return new Problem('request-full', `This link takes ${countOf(filesLeft!, 'more file')}: send fewer.`, {
      filesLeft,
    })
  }
  if (refusal === 'bytes' && wanted.bytes > bytesLeft!) {
    const words = `This link takes ${formatBytes(bytesLeft!)} more, and ${formatBytes(wanted.bytes)} are needed.`
    return new Problem('file-too-large', words, { bytesLeft })
  }
  const reason = 'Uploads under way need all that this link still takes: try again when they have ended.'
  return new Problem('busy', reason, { retryAfter: 30 })
}

function requestFull({ maxFiles, files, maxBytes }: FileRequest): Problem {
  const limit =
    maxFiles !== null && files >= maxFiles ? countOf(maxFiles, 'file') : `${formatBytes(maxBytes ?? 0)} in all`
  return new Problem('request-full', `This link takes ${limit}, which it has got: ask its sender for another one.`)
}
