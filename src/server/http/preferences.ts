import { maxRateLimit } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { jobHeader, rateLimitHeader } from '../../protocol/routes.js'

/** The milliseconds of `Prefer: wait=SECONDS` (RFC 7240 section 4.3), a day at most; 0 where it is not asked for. */
export function waitOf(header: string | undefined): number {
  const match = /(?:^|,)\s*wait\s*=\s*"?(\d+)"?/i.exec(header ?? '')
  return match ? Math.min(Number(match[1]), maxWaitSeconds) * 1000 : 0
}

/** The job's id that the client chose by `Filejobs-Job: UUID`; null where it did not. Throws `invalid-request`. */
export function jobIdOf(header: string | undefined): string | null {
  if (header === undefined) return null
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(header)) return header.toLowerCase()
  throw new Problem('invalid-request', `${jobHeader}: "${header}" is not a UUID.`, { field: jobHeader })
}

/** The bytes per second of `Filejobs-Rate-Limit: N`; null where there is none. Throws `invalid-request`. */
export function rateLimitOf(header: string | undefined): number | null {
  if (header === undefined) return null
  const bytesPerSecond = /^\d+$/.test(header) ? Number(header) : 0
  if (bytesPerSecond >= 1 && bytesPerSecond <= maxRateLimit) return bytesPerSecond
  const words = `${rateLimitHeader}: "${header}" is not a number of bytes per second above 0.`
  throw new Problem('invalid-request', words, { field: rateLimitHeader })
}

const maxWaitSeconds = 86_400
