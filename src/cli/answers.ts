import { errorOfAnswer } from '../client/answers.js'
import { FilejobsError } from '../client/errors.js'
import { isProblemCode, Problem } from '../protocol/problems.js'
import { errorCode, Failure } from './exit-codes.js'

/** Converts an error response (status 300 or higher), with or without problem+json, into an error. */
export function answeredProblem(
  server: string,
  status: number,
  body: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Problem | Failure {
  const get = (name: string) => headers[name]?.toString() ?? null
  return ofAnswer(server, errorOfAnswer(server, status, body, { get }))
}

/** Words an error of the library for the command line; returns other errors unchanged. */
export function wordError(server: string, error: unknown): unknown {
  if (!(error instanceof FilejobsError)) return error
  return error.code === 'unreachable' ? networkFailure(server, error.cause) : ofAnswer(server, error)
}

function ofAnswer(server: string, error: FilejobsError): Problem | Failure {
  const { code, detail, problem } = error
  if (code === 'not-logged-in') return notLoggedIn(server, { cause: error })
  if (!isProblemCode(code)) return new Failure('unexpected', detail, { cause: error })
  const message = code === 'job-running' ? nameCommands(detail, problem.job) : detail
  return new Problem(code, message, { ...problem, message: detail })
}

export function notLoggedIn(server: string, options?: ErrorOptions): Problem {
  return new Problem('not-logged-in', `Not logged in to ${server}: run "filejobs login".`, { server }, options)
}

/** Turns a network error into a Failure that names the server; returns other errors unchanged. */
export function networkFailure(server: string, error: unknown): unknown {
  const code = errorCode(error)
  if (code === undefined) return error
  const words = networkErrors[code]
  if (words) return new Failure('tryAgain', `${server}: ${words}`, { cause: error })
  if (code.startsWith('HPE_')) {
    return new Failure('tryAgain', `${server}: what answers there is not HTTP. Is the URL right?`, { cause: error })
  }
  if (/CERT|SIGNED|TLS|SSL/.test(code)) {
    return new Failure('tryAgain', `${server}: the connection cannot be secured (${code}).`, { cause: error })
  }
  return error
}

/** Whether an error means that a connection broke, so that a retry may succeed. */
export function isNetworkError(error: unknown): boolean {
  const code = errorCode(error)
  return code !== undefined && (Object.hasOwn(networkErrors, code) || code.startsWith('HPE_'))
}

const cut = 'the connection was cut. Try again.'
const networkErrors: Record<string, string> = {
  ECONNREFUSED: 'no server answers there. Is the server running ("filejobs serve"), and is the URL right?',
  ENOTFOUND: 'there is no such host. Is the URL right?',
  EAI_AGAIN: 'the name of the host cannot be looked up now. Try again later.',
  ECONNRESET: cut,
  ECONNABORTED: cut,
  EPIPE: cut,
  ERR_STREAM_PREMATURE_CLOSE: cut,
  ETIMEDOUT: 'no answer in time. Try again later.',
  EHOSTUNREACH: 'the host cannot be reached. Try again later.',
  ENETUNREACH: 'the network cannot be reached. Try again later.',
  EPROTO: 'the connection cannot be secured. Is it http:// rather than https://?',
}

/** The server's advice about another job is general; the client names its own commands. */
function nameCommands(message: string, job: unknown): string {
  if (typeof job !== 'object' || job === null || !('kind' in job)) return message
  const how = `Wait for its end with --wait, or stop it: "filejobs stop ${job.kind}".`
  return message.replace(/(?<= is running\. )Wait for it, or stop it first\.$/, () => how)
}
