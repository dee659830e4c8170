import type { Writable } from 'node:stream'
import type { Job } from '../jobs/job.js'
import type { JobRequest } from '../jobs/job-request.js'
import type { OpenFile } from '../stores/files.js'
import type { ByteRange } from './sending.js'

export interface ExportRequest extends JobRequest {
  /** The job of many files that it belongs to; null, the default, for that of its file. */
  partOf?: string | null
  /** The account of the job, if it is not the requester's: a share. */
  account?: string
  /** False: a separate job, if the readers are different people; default true. */
  joins?: boolean
  /** How long the client may read nothing, if shorter than the default idle timeout. */
  silenceMs?: number
  /** The file's name in the job and a stop, as the client requested it. */
  name: string
  file: OpenFile
  range: ByteRange
  /** The program, if it may retry an interrupted request: see `ExportReader`. Default null. */
  repeater?: string | null
  /**
   * Bytes per second; null, the default, for no limit. A request that joins a running job sets it for all of its
   * streams.
   */
  rateLimit?: number | null
  /** Bytes of the response that the network has not accepted yet. */
  unsent: () => number
  /** Called when the job runs, to write the head of the response. If it throws, nothing may have been written. */
  begin(job: Job): void
  response: Writable
  /** Must make the client's transfer fail, whatever it has received so far. */
  cut(): void
}
