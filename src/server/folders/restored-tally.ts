import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobRecord } from '../../protocol/jobs.js'
import { FileTally } from '../jobs/file-tally.js'
import { percentOf } from '../jobs/percent.js'
import type { JobFiles } from '../stores/job-files.js'

/** Counts the files of a job of an earlier run of the server, as far as they were listed. */
async function restoreTally({ id, files }: JobRecord, lists: Pick<JobFiles, 'list'>): Promise<FileTally> {
  const tally = new FileTally(files?.total ?? null)
  for (let after: number | null = 0; after !== null; ) {
    const page = await lists.list(id, { after, limit: 1000 })
    for (const { name, size, status, error } of page.files) {
      if (status !== 'failed') tally.count({ name, size: size ?? 0, status })
      else tally.count({ name, status, error: error ?? { code: 'internal', message: 'The reason was not recorded.' } })
    }
    after = page.next
  }
  return tally
}

/** The last record of a job whose server has ended, with the files that it had published, each by itself, and listed. */
export async function restoreFiles(
  job: JobRecord,
  lists: Pick<JobFiles, 'list'>,
): Promise<{ job: JobRecord; published: Publication }> {
  const tally = await restoreTally(job, lists)
  const { bytes } = tally.publication
  const percent = percentOf(bytes, job.totalBytes, 'failed')
  return { job: { ...job, bytes, percent, files: tally.record() }, published: tally.publication }
}
