import { isProblemCode, type ProblemCode } from '../protocol/problems.js'
import { FilejobsError } from './errors.js'
import type { TransportResponse } from './transport.js'

/** Converts an error response (status 300 or higher), with or without problem+json, into an error. */
export function errorOfAnswer(
  server: string,
  status: number,
  body: string,
  headers: TransportResponse['headers'],
): FilejobsError {
  const problem = parseProblem(body)
  if (problem) {
    const { code, message, ...details } = problem
    const words = typeof message === 'string' ? message : `The server answered with status ${status}.`
    return new FilejobsError(code, words, { status, problem: details })
  }
  // A browser shows no more of a redirect than that it is one: status 0.
  if (status < 400) {
    const words = `${server} sends us on to ${headers.get('location') ?? 'another address'}: is the URL right?`
    return new FilejobsError('not-filejobs', words, { status })
  }
  const words = `${server} answered ${status} without saying why`
  const code = plainStatuses[status]
  if (code) return new FilejobsError(code, `${words}.`, { status })
  return new FilejobsError('not-filejobs', `${words}: is it a filejobs server, and what does a proxy before it log?`, {
    status,
  })
}

/** Statuses that proxies return without the server. */
const plainStatuses: Record<number, ProblemCode> = {
  401: 'not-logged-in',
  403: 'not-allowed',
  404: 'not-found',
  408: 'stalled',
  413: 'file-too-large',
  429: 'too-many-attempts',
  502: 'busy',
  503: 'busy',
  504: 'busy',
  507: 'disk-full',
}

function parseProblem(body: string): { code: ProblemCode; message?: unknown } | undefined {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('code' in value)) return undefined
  const { code } = value
  return isProblemCode(code) ? { ...value, code } : undefined
}
