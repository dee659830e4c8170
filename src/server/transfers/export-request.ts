import type { JobRequest } from '../jobs/job-request.js'
import type { OpenFile } from '../stores/files.js'
import type { ExportOutput } from './export-output.js'
import type { ByteRange } from './sending.js'

export interface ExportRequest extends JobRequest, ExportOutput {
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
}
