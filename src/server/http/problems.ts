import type { Context } from 'hono'
import { Problem, type ProblemCode, problemBody } from '../../protocol/problems.js'
import type { Log } from '../log.js'

/**
 * Words any error as an answer: `application/problem+json` (RFC 9457). What nobody foresaw is logged and worded as `internal`.
 * `statuses` are those of codes that a protocol wants otherwise.
 */
export function answerProblem(
  error: unknown,
  c: Context,
  log: Log,
  statuses: { [code in ProblemCode]?: number } = {},
): Response {
  const problem = problemOf(error)
  const status = statuses[problem.code] ?? problem.status
  if (problem.status >= 500 && problem.code === 'internal') {
    log.error(`${c.req.method} ${c.req.path} failed`, problem.cause ?? error)
  }
  return c.body(JSON.stringify({ ...problemBody(problem), status }), status as 400, headersOf(problem))
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  return new Problem('internal', 'Something broke in the server. It is in its log.', {}, { cause: error })
}

function headersOf({ code, details }: Problem): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' }
  if (code === 'not-logged-in' || code === 'invalid-credentials') headers['WWW-Authenticate'] = 'Bearer'
  if (code === 'range-not-satisfiable') headers['Content-Range'] = `bytes */${details.size}`
  if (details.retryAfter !== undefined) headers['Retry-After'] = String(details.retryAfter)
  else if (code === 'busy' || code === 'shutting-down') headers['Retry-After'] = '5'
  const job = details.job as { id?: string } | undefined
  if (job?.id) headers['Filejobs-Job'] = job.id
  return headers
}
