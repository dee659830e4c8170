import { Problem } from '../protocol/problems.js'
import type { FolderJobs } from './folders/folder-jobs.js'
import type { Jobs } from './jobs/jobs.js'
import type { ResumableUploads } from './transfers/resumable.js'

export interface EndingJobs {
  jobs: Jobs
  resumable: ResumableUploads
  folders: FolderJobs
}

/**
 * Ends all jobs for a shutdown: waiting jobs at once, the others when they are done or the grace period is over.
 * Resumable uploads are kept for the next start.
 */
export async function endJobs({ jobs, resumable, folders }: EndingJobs, graceMs: number): Promise<void> {
  const reason = new Problem('shutting-down', 'The server is shutting down: try again when it is back.')
  jobs.close(reason)
  const unfinished = jobs.unfinished().filter((job) => !resumable.owns(job))
  const kept = resumable.close(reason)
  void folders.close(reason)
  let timer: NodeJS.Timeout | undefined
  const graceOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([Promise.all([kept, ...unfinished.map((job) => job.ended)]), graceOver])
  clearTimeout(timer)
  for (const job of unfinished) if (!job.isEnded) job.abort(reason)
  await Promise.all(unfinished.map((job) => job.ended))
}
