import type { Writable } from 'node:stream'
import type { Job } from '../jobs/job.js'

/** The response of an export. */
export interface ExportOutput {
  /** Bytes of the response that the network has not accepted yet. */
  unsent: () => number
  /** Called when the job runs, to write the head of the response. If it throws, nothing may have been written. */
  begin(job: Job): void
  response: Writable
  /** Must make the client's transfer fail, whatever it has received so far. */
  cut(): void
}
