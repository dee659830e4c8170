import type { FileEnd } from '../jobs/file-tally.js'
import type { Job } from '../jobs/job.js'

/** Counts a file of a job of many. Bytes that were counted for an earlier one in its place are taken back. */
export function countFile(job: Job, file: FileEnd): void {
  job.countFiles((files) => job.shift(-files.count(file)))
}
