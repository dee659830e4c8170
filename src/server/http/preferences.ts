import { Problem } from '../../protocol/problems.js'
import { jobHeader } from '../../protocol/routes.js'

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

const maxWaitSeconds = 86_400
