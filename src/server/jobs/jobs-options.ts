import type { Clock } from '../clock.js'
import type { RemoteJobs } from '../stores/remote-jobs.js'
import type { Slots } from '../stores/slots.js'
import type { Job } from './job.js'

export interface JobsOptions {
  slots: Slots
  clock: Clock
  /** Of the other servers. Default: there are none. */
  remote?: RemoteJobs
  /** Called when something of a job could not be removed. Default: ignored. */
  onCleanUpError?: (job: Job, error: unknown) => void
}
