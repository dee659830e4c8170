import type { Context } from 'hono'
import type { ProblemBody } from '../../protocol/problems.js'
import { answerProblem } from '../http/problems.js'
import type { Log } from '../log.js'

export interface Words {
  /** The media type. */
  type: string
  body: string
  /** Where the interface answers another status than ours. */
  status?: number
}

/** Answers an error as our own interface would, its headers included, but in other words. */
export async function answerInWords(
  error: unknown,
  c: Context,
  log: Log,
  word: (problem: ProblemBody) => Words,
): Promise<Response> {
  const ours = answerProblem(error, c, log)
  const { type, body, status = ours.status } = word((await ours.json()) as ProblemBody)
  const headers = new Headers(ours.headers)
  headers.set('Content-Type', type)
  return new Response(body, { status, headers })
}
