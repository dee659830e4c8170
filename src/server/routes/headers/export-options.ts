import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { jobHeader, partOfHeader, rateLimitHeader } from '../../../protocol/routes.js'
import { tokenOf } from '../../auth/guard.js'
import { jobIdOf, partOfOf, rateLimitOf, waitOfTarget } from './preferences.js'
import { slotWaitOf } from './slot-wait.js'

/** The job options of the request. Throws `invalid-request`. */
export function exportOptionsOf(incoming: IncomingMessage) {
  const header = (name: string) => incoming.headers[name.toLowerCase()] as string | undefined
  return {
    jobId: jobIdOf(header(jobHeader)),
    partOf: partOfOf(header(partOfHeader)),
    waitMs: slotWaitOf(incoming) || waitOfTarget(incoming.url ?? ''),
    rateLimit: rateLimitOf(header(rateLimitHeader)),
  }
}

/**
 * The program that may retry the request automatically. Not the dashboard, which sends no token in a header, and not a
 * client that sets its job's id: their requests are new exports.
 */
export function repeaterOf(headers: IncomingHttpHeaders): string | null {
  const token = tokenOf((name) => headers[name.toLowerCase()] as string | undefined)
  if (token === undefined || headers[jobHeader.toLowerCase()] !== undefined) return null
  return headers['user-agent'] ?? ''
}
