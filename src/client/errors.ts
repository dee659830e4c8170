import type { Receipt } from '../protocol/jobs.js'
import type { ProblemCode, ProblemDetails } from '../protocol/problems.js'

/**
 * Without an answer of the server: `aborted` by the caller's signal, `unreachable`, or `not-filejobs`, when something else than a
 * filejobs server has answered.
 */
export type ClientErrorCode = 'aborted' | 'unreachable' | 'not-filejobs'

export type FilejobsErrorCode = ProblemCode | ClientErrorCode

export interface FilejobsErrorOptions extends ErrorOptions {
  status?: number | null
  problem?: ProblemDetails
  receipt?: Receipt | null
}

/** The error of every method of the library, except for arguments that are wrong: those are a `TypeError`. */
export class FilejobsError extends Error {
  /** What happened, for programs: `job-running`, `file-not-found`, `unreachable`, … */
  readonly code: FilejobsErrorCode
  /** Of the server's answer; null if there was none. */
  readonly status: number | null
  /** What happened, for people. */
  readonly detail: string
  /** The other members of the server's answer: the `job` that runs, the `field` that is wrong, … */
  readonly problem: ProblemDetails
  /** Of a transfer that was stopped, by the caller's signal (`aborted`) or by someone else (`job-stopped`); null if there is none. */
  readonly receipt: Receipt | null

  constructor(code: FilejobsErrorCode, detail: string, options: FilejobsErrorOptions = {}) {
    const { status = null, problem = {}, receipt = null, ...rest } = options
    super(detail, rest)
    this.name = 'FilejobsError'
    this.code = code
    this.status = status
    this.detail = detail
    this.problem = problem
    this.receipt = receipt
  }
}

/** Whether an error is a FilejobsError with one of these codes. */
export function hasCode(error: unknown, ...codes: FilejobsErrorCode[]): error is FilejobsError {
  return error instanceof FilejobsError && codes.includes(error.code)
}

/** Whether the same request may succeed a little later: the network, a restart of the server, a proxy without a backend. */
export function isPassing(error: unknown): boolean {
  return hasCode(error, 'unreachable', 'busy', 'shutting-down', 'storage-unavailable')
}
