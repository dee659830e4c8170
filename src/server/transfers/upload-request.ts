import type { Readable } from 'node:stream'
import type { Job } from '../jobs/job.js'
import type { JobRequest } from '../jobs/job-request.js'
import type { DeclaredDigests } from '../stores/files.js'
import type { Precondition } from '../stores/precondition.js'

/** The options of every upload, by form, raw PUT or tus. */
export interface UploadRequest extends JobRequest {
  /** The account of its job; default that of the identity. One by a link for uploads is `requestAccount`: its file replaces nothing. */
  account?: string
  /** Bytes of each file, beside the limit of the server; null, the default, for no other limit. */
  maxFileBytes?: number | null
  /** The job of many files that it belongs to; null, the default, for a job of its own. */
  partOf?: string | null
  /** Bytes per second; null, the default, for no limit. */
  rateLimit?: number | null
  /** Aborted with `client-left` when the client disconnects, with another problem when it violates the protocol. */
  left: AbortSignal
  /** Called once after the checks, before the body is read: the moment for `100 Continue`. */
  begin(job: Job): void
}

export interface FileUpload extends UploadRequest {
  name: string
  /** Media type. */
  type: string
  body: Readable
  /** Bytes, null if the client does not declare them. */
  size: number | null
  /** As declared by the client. */
  digests: DeclaredDigests
  /** Digests in trailers, available at the end of the body. Throws `invalid-request`. */
  lateDigests(): DeclaredDigests
  precondition: Precondition
}
