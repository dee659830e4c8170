import type { z } from 'zod'
import { Problem, type ProblemBody } from '../../protocol/problems.js'
import { formatFault } from '../routes/bodies/schema-issues.js'
import type { FormattedError } from './error-format.js'

/** The errors of each field of a request. */
export type FieldErrors = Record<string, string[]>

/** An error that names every invalid field: 400 `{field: [messages]}`. */
export function fieldProblem(errors: FieldErrors): Problem {
  const message = Object.entries(errors).map(([field, messages]) => `${field}: ${messages.join(' ')}`)
  return new Problem('invalid-request', message.join(' '), { errors })
}

/** The error for everything that the account may not do, or not now: 403 with the message that clients compare. */
export function notPermitted(cause?: unknown): Problem {
  return new Problem('not-allowed', 'You do not have permission to perform this action.', {}, { cause })
}

/** Checks the fields of a form. Throws a `fieldProblem` that names all invalid ones. */
export function check<T>(fields: Record<string, unknown>, schema: z.ZodType<T>): T {
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  const errors: FieldErrors = {}
  for (const issue of result.error.issues) {
    const field = String(issue.path[0])
    const message = fields[field] === undefined ? 'This field is required.' : formatFault(issue)
    errors[field] = [...(errors[field] ?? []), message]
  }
  throw fieldProblem(errors)
}

/** Formats an error as `{detail}`, or as `{field: [messages]}` for invalid fields, with an additional `message`. */
export function formatCollectError({ status, code, message, errors, field }: ProblemBody): FormattedError {
  const fields = errors ?? (status === 400 && typeof field === 'string' ? { [field]: [message] } : { detail: message })
  return { type: 'application/json', body: JSON.stringify({ ...fields, message, code }) }
}
