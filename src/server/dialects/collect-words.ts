import type { z } from 'zod'
import { Problem, type ProblemBody } from '../../protocol/problems.js'
import type { Words } from './wording.js'

/** What is wrong with each field of a request. */
export type FieldErrors = Record<string, string[]>

/** A refusal that names every field at fault: 400 `{field: [messages]}`. */
export function fieldProblem(errors: FieldErrors): Problem {
  const message = Object.entries(errors).map(([field, messages]) => `${field}: ${messages.join(' ')}`)
  return new Problem('invalid-request', message.join(' '), { errors })
}

/** The refusal for all that the account may not do, or not now: 403 in words that clients compare. */
export function notPermitted(cause?: unknown): Problem {
  return new Problem('not-allowed', 'You do not have permission to perform this action.', {}, { cause })
}

/** Checks the fields of a form. Throws a `fieldProblem` that names all that are at fault. */
export function check<T>(fields: Record<string, unknown>, schema: z.ZodType<T>): T {
  const result = schema.safeParse(fields)
  if (result.success) return result.data
  const errors: FieldErrors = {}
  for (const { path, message } of result.error.issues) {
    const field = String(path[0])
    errors[field] = [...(errors[field] ?? []), fields[field] === undefined ? 'This field is required.' : message]
  }
  throw fieldProblem(errors)
}

/** Words an error as `{detail}`, or as `{field: [messages]}` where fields are at fault; `message` stands beside it. */
export function collectWords({ status, code, message, errors, field }: ProblemBody): Words {
  const fields = errors ?? (status === 400 && typeof field === 'string' ? { [field]: [message] } : { detail: message })
  return { type: 'application/json', body: JSON.stringify({ ...fields, message, code }) }
}
