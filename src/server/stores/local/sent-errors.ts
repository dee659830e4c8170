import { isProblemCode, Problem } from '../../../protocol/problems.js'
import { diskFull, isDiskFull } from '../disk-full.js'
import type { SentError } from './batch-messages.js'

/** An error in a form that can be sent between threads. */
export function sendError(error: unknown): SentError {
  if (error instanceof Problem) {
    const { message, code, details } = error
    return { message, problem: { code, details } }
  }
  const { message, code, path, syscall } = error as NodeJS.ErrnoException
  return { message: message ?? String(error), code, path, syscall }
}

/** The error that was sent: a `Problem`, or the system's error. A full disk is `disk-full`. */
export function receiveError({ message, problem, ...ofSystem }: SentError): Error {
  if (problem && isProblemCode(problem.code)) return new Problem(problem.code, message, problem.details)
  const error = Object.assign(new Error(message), ofSystem)
  return isDiskFull(error) ? diskFull(error) : error
}
