import { fileFault } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { textOfElement } from './bucket-xml.js'

/** A response of the bucket that is no success. */
export class BucketError extends Error {
  readonly status: number
  /** Such as `NoSuchKey`; empty if the response has none. That to a HEAD has no body: `NotFound` for 404. */
  readonly code: string

  constructor(request: string, status: number, body: string) {
    const isMissing = status === 404 && request.startsWith('HEAD ')
    const code = textOfElement(body, 'Code') ?? (isMissing ? 'NotFound' : '')
    super(`${request}: the bucket answered ${status} ${code}: ${textOfElement(body, 'Message') ?? ''}`)
    this.name = 'BucketError'
    this.status = status
    this.code = code
  }
}

/** A response that cannot be one to this request. */
export class BrokenResponse extends Error {
  constructor(request: string, what: string) {
    super(`${request}: ${what}.`)
    this.name = 'BrokenResponse'
  }
}

/** Whether the same request may succeed later: overload, faults of the server, bytes damaged on the way, broken connections. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof BucketError) return error.status >= 500 || error.status === 429 || temporary.has(error.code)
  return !(error instanceof Problem) && fileFault(error) === undefined
}

const temporary = new Set([
  'SlowDown',
  'RequestTimeout',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'OperationAborted',
  // Of storage in folders, while the last object of one is removed.
  'ExistingObjectIsDirectory',
])

export function bucketUnavailable(cause: unknown): Problem {
  const what = cause instanceof BucketError && !isTemporary(cause) ? 'refuses a request' : 'does not answer'
  const message = `The bucket of the files ${what}: its operator has to look at it, then try again.`
  return new Problem('storage-unavailable', message, {}, { cause })
}

/** The key alone, not the bucket. */
export function isMissingKey(error: unknown): boolean {
  return error instanceof BucketError && error.status === 404 && missing.has(error.code)
}

const missing = new Set(['NoSuchKey', 'NotFound'])
