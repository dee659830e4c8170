import { maxRateLimit } from '../../../protocol/jobs.js'
import { Problem } from '../../../protocol/problems.js'
import { jobHeader, rateLimitHeader } from '../../../protocol/routes.js'

/** The milliseconds of `Prefer: wait=SECONDS` (RFC 7240 section 4.3), at most a day; undefined without it. */
export function findWait(header: string | undefined): number | undefined {
  const match = /(?:^|,)\s*wait\s*=\s*"?(\d+)"?/i.exec(header ?? '')
  return match ? Math.min(Number(match[1]), maxWaitSeconds) * 1000 : undefined
}

/** Like `findWait`; 0 if the client does not want to wait. */
export function waitOf(header: string | undefined): number {
  return findWait(header) ?? 0
}

/** The same for `?wait=SECONDS`: a link that a browser downloads cannot set headers. */
export function waitOfTarget(target: string): number {
  const wait = new URLSearchParams(target.replace(/^[^?]*/, '')).get('wait')
  return wait === null ? 0 : waitOf(`wait=${wait}`)
}

/** The job id of `Filejobs-Job: UUID`; null without one. Throws `invalid-request`. */
export function jobIdOf(header: string | undefined): string | null {
  if (header === undefined) return null
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(header)) return header.toLowerCase()
  throw new Problem('invalid-request', `${jobHeader}: "${header}" is not a UUID.`, { field: jobHeader })
}

/** The job of many files of `Filejobs-Part-Of: ID`; null without it. An id that is no UUID is that of no job. */
export function partOfOf(header: string | undefined): string | null {
  return header?.toLowerCase() ?? null
}

/** The bytes per second of `Filejobs-Rate-Limit: N`; null without it. Throws `invalid-request`. */
export function rateLimitOf(header: string | undefined): number | null {
  if (header === undefined) return null
  const bytesPerSecond = /^\d+$/.test(header) ? Number(header) : 0
  if (bytesPerSecond >= 1 && bytesPerSecond <= maxRateLimit) return bytesPerSecond
  const words = `${rateLimitHeader}: "${header}" is not a number of bytes per second above 0.`
  throw new Problem('invalid-request', words, { field: rateLimitHeader })
}

const maxWaitSeconds = 86_400
