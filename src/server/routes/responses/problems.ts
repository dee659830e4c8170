import type { Context } from 'hono'
import { Problem, type ProblemCode, problemBody } from '../../../protocol/problems.js'
import type { Log } from '../../log.js'
import { loggedPath } from '../../routing/logged-path.js'
import { shortageOf } from '../../shortage.js'
import { diskFull, isDiskFull } from '../../stores/disk-full.js'
import { storageFaultOf } from '../../stores/storage-fault.js'

/**
 * Converts any error to a response: `application/problem+json` (RFC 9457). Unexpected errors become `internal`; the
 * operator's are logged. `statuses` overrides the statuses of codes for a protocol.
 */
export function answerProblem(
  error: unknown,
  c: Context,
  log: Log,
  statuses: { [code in ProblemCode]?: number } = {},
): Response {
  const problem = problemOf(error)
  const status = statuses[problem.code] ?? problem.status
  if (forOperator.includes(problem.code)) {
    log.error(`${c.req.method} ${loggedPath(c.req.path)} failed`, problem.cause ?? error)
  }
  return c.body(JSON.stringify({ ...problemBody(problem), status }), status as 400, headersOf(problem, status))
}

/** The username is ignored. */
const linkChallenge = 'Basic realm="filejobs link", charset="UTF-8"'

/** Problems that are logged as errors: only the operator can fix them. */
const forOperator: readonly ProblemCode[] = ['internal', 'not-accessible', 'storage-unavailable']

function problemOf(error: unknown): Problem {
  const shortage = shortageOf(error)
  if (shortage) return shortage
  if (error instanceof Problem) return error
  if (isDiskFull(error)) return diskFull(error)
  const fault = storageFaultOf(error)
  if (fault) return fault
  return new Problem('internal', 'Something broke in the server. It is in its log.', {}, { cause: error })
}

function headersOf({ code, details }: Problem, status: number): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' }
  if (code === 'not-logged-in' || code === 'invalid-credentials') headers['WWW-Authenticate'] = 'Bearer'
  if (code === 'password-required' || code === 'wrong-password') headers['WWW-Authenticate'] = linkChallenge
  if (details.acceptEncoding !== undefined) headers['Accept-Encoding'] = String(details.acceptEncoding)
  if (code === 'range-not-satisfiable') headers['Content-Range'] = `bytes */${details.size}`
  if (details.retryAfter !== undefined) headers['Retry-After'] = String(details.retryAfter)
  else if (code === 'busy' || code === 'shutting-down') headers['Retry-After'] = '5'
  else if (code === 'storage-unavailable') headers['Retry-After'] = '30'
  else if (code === 'job-running' && status === 423) headers['Retry-After'] = '1'
  const job = details.job as { id?: string } | undefined
  if (job?.id) headers['Filejobs-Job'] = job.id
  return headers
}
