/** All errors in one table: the code that both sides use, the HTTP status, the client's exit code and a title. */
export const problems = {
  'invalid-request': { status: 400, exit: 2, title: 'The request is not valid' },
  'taken-over': { status: 400, exit: 6, title: 'Another request took the upload over' },
  'not-logged-in': { status: 401, exit: 3, title: 'Not logged in' },
  'invalid-credentials': { status: 401, exit: 3, title: 'The username or the password is wrong' },
  'password-required': { status: 401, exit: 3, title: 'The link needs a password' },
  'wrong-password': { status: 401, exit: 3, title: 'The password of the link is wrong' },
  'not-allowed': { status: 403, exit: 3, title: 'Not allowed' },
  'host-not-allowed': { status: 403, exit: 3, title: 'This host name is not served' },
  'not-found': { status: 404, exit: 4, title: 'Not found' },
  'file-not-found': { status: 404, exit: 4, title: 'There is no such file' },
  'job-not-found': { status: 404, exit: 4, title: 'There is no such job' },
  'account-not-found': { status: 404, exit: 4, title: 'There is no such account' },
  'session-not-found': { status: 404, exit: 4, title: 'There is no such session' },
  'invitation-not-found': { status: 404, exit: 4, title: 'There is no such invitation' },
  'upload-not-found': { status: 404, exit: 4, title: 'There is no such upload' },
  'column-not-found': { status: 404, exit: 4, title: 'There is no such column' },
  'table-not-found': { status: 404, exit: 4, title: 'There is no such table' },
  'request-not-found': { status: 404, exit: 4, title: 'There is no such link for uploads' },
  'share-not-found': { status: 404, exit: 4, title: 'There is no such share' },
  'no-running-job': { status: 404, exit: 4, title: 'Nothing to stop' },
  'method-not-allowed': { status: 405, exit: 1, title: 'The method is not allowed here' },
  stalled: { status: 408, exit: 5, title: 'No byte came for too long' },
  'job-running': { status: 409, exit: 6, title: 'Another job is running' },
  'job-id-used': { status: 409, exit: 6, title: 'The job id was used before' },
  'job-stopped': { status: 409, exit: 9, title: 'The job was stopped' },
  'already-published': { status: 409, exit: 4, title: 'Too late to stop: already published' },
  'not-running': { status: 409, exit: 4, title: 'The job is not running' },
  'not-pausable': { status: 409, exit: 6, title: 'This job cannot be paused' },
  'not-joinable': { status: 409, exit: 6, title: 'The request cannot be part of this job' },
  'files-failed': { status: 409, exit: 1, title: 'Files of the job have failed' },
  'file-changed': { status: 409, exit: 5, title: 'The file was changed while it was being sent' },
  'role-required': { status: 409, exit: 3, title: 'Several accounts fit: name the role' },
  'username-taken': { status: 409, exit: 6, title: 'The username is taken' },
  'name-conflict': { status: 409, exit: 6, title: 'The name is taken by a folder, or lies below a file' },
  'name-taken': { status: 409, exit: 6, title: 'The name is taken' },
  'already-imported': { status: 409, exit: 6, title: 'The file was imported into the table before' },
  'last-admin': { status: 409, exit: 6, title: 'The last admin must stay' },
  'offset-mismatch': { status: 409, exit: 5, title: 'The offset does not match' },
  'upload-gone': { status: 410, exit: 4, title: 'The upload has ended or expired' },
  'job-expired': { status: 410, exit: 4, title: 'The job has expired' },
  'request-expired': { status: 410, exit: 4, title: 'The link for uploads has expired' },
  'request-full': { status: 410, exit: 7, title: 'The link for uploads takes no more' },
  'request-revoked': { status: 410, exit: 4, title: 'The link for uploads was revoked' },
  'share-expired': { status: 410, exit: 4, title: 'The link has expired' },
  'share-exhausted': { status: 410, exit: 4, title: 'The link has no downloads left' },
  'precondition-failed': { status: 412, exit: 6, title: 'A condition of the request does not hold' },
  'file-too-large': { status: 413, exit: 7, title: 'The file is too large' },
  'quota-exceeded': { status: 413, exit: 7, title: 'Over the quota' },
  'body-too-large': { status: 413, exit: 2, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, exit: 2, title: 'The media type is not supported' },
  'range-not-satisfiable': { status: 416, exit: 1, title: 'The range lies outside the file' },
  'expectation-failed': { status: 417, exit: 1, title: 'The expectation cannot be met' },
  'digest-mismatch': { status: 422, exit: 8, title: 'The digest does not match' },
  'malformed-csv': { status: 422, exit: 10, title: 'The CSV is malformed' },
  'malformed-query': { status: 422, exit: 10, title: 'The query is malformed or not allowed' },
  'import-too-long': { status: 422, exit: 10, title: 'The import ran for too long' },
  'query-too-long': { status: 422, exit: 10, title: 'The query ran for too long' },
  'upload-locked': { status: 423, exit: 5, title: 'The upload cannot be reached now' },
  'too-many-attempts': { status: 429, exit: 5, title: 'Too many attempts' },
  'too-many-requests': { status: 429, exit: 5, title: 'Too many requests' },
  'checksum-mismatch': { status: 460, exit: 8, title: 'The checksum does not match' },
  'client-left': { status: 499, exit: 5, title: 'The client left' },
  'file-damaged': { status: 500, exit: 8, title: 'The stored file is damaged' },
  'not-accessible': { status: 500, exit: 1, title: 'The server may not access the file' },
  internal: { status: 500, exit: 1, title: 'Something broke in the server' },
  'not-implemented': { status: 501, exit: 1, title: 'Not implemented' },
  'tables-unavailable': { status: 501, exit: 1, title: 'Tables are not available' },
  'shutting-down': { status: 503, exit: 5, title: 'The server is shutting down' },
  busy: { status: 503, exit: 5, title: 'The server is busy' },
  'storage-unavailable': { status: 503, exit: 5, title: 'The storage is not available' },
  'disk-full': { status: 507, exit: 7, title: 'The disk is full' },
} as const satisfies Record<string, { status: number; exit: number; title: string }>

export type ProblemCode = keyof typeof problems

/** Additional members of an error response: the invalid field, the blocking job, a line number, … */
export type ProblemDetails = Record<string, unknown>

/** The body of an error response: RFC 9457 `application/problem+json`, with `code` and a `message` for people. */
export interface ProblemBody extends ProblemDetails {
  type: string
  title: string
  status: number
  detail: string
  code: ProblemCode
  message: string
}

/** An error to report to the user. Its message says what happened and what to do. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly details: ProblemDetails

  constructor(code: ProblemCode, message: string, details: ProblemDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Problem'
    this.code = code
    this.details = details
  }

  get status(): number {
    return problems[this.code].status
  }
}

/** Formats a problem as RFC 9457 requires. */
export function problemBody(problem: Problem): ProblemBody {
  const { status, title } = problems[problem.code]
  return {
    ...problem.details,
    type: `urn:filejobs:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    message: problem.message,
  }
}

export function isProblemCode(value: unknown): value is ProblemCode {
  return typeof value === 'string' && Object.hasOwn(problems, value)
}
