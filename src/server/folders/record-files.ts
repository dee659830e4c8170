import type { ListedFile } from '../../protocol/folder-jobs.js'
import type { FileEnd } from '../jobs/file-tally.js'
import type { JobRun } from '../jobs/run-job.js'
import type { JobFiles } from '../stores/job-files.js'

/** Lists the files of a job as they end. */
export function recordFiles({ job, onEnd }: JobRun, lists: JobFiles): void {
  if (job.files) job.files.onFile = (file) => lists.add(job.id, listed(file))
  onEnd(() => lists.end(job.id))
}

function listed(file: FileEnd): ListedFile {
  const { name, status } = file
  return file.status === 'failed'
    ? { name, size: null, status, error: file.error }
    : { name, size: file.size, status, error: null }
}
