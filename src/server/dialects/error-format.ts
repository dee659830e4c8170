import type { Context } from 'hono'
import type { ProblemBody } from '../../protocol/problems.js'
import type { Log } from '../log.js'
import { answerProblem } from '../routes/responses/problems.js'

export interface FormattedError {
  /** The media type. */
  type: string
  body: string
  /** The status, if the interface uses another one. */
  status?: number
}

/** Responds with an error like our own interface, including the headers, but with another body. */
export async function answerFormatted(
  error: unknown,
  c: Context,
  log: Log,
  format: (problem: ProblemBody) => FormattedError,
): Promise<Response> {
  const ours = answerProblem(error, c, log)
  const { type, body, status = ours.status } = format((await ours.json()) as ProblemBody)
  const headers = new Headers(ours.headers)
  headers.set('Content-Type', type)
  return new Response(body, { status, headers })
}
