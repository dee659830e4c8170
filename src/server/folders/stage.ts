import type { Job } from '../jobs/job.js'
import type { StagePlan, StoredStage } from '../stores/stages.js'
import { filesFailed } from './folder-problems.js'

/** The files of one job that are published together: invisible until `publish`, then all at once. */
export interface Stage extends Omit<StoredStage, 'bytes'> {
  /** Whether files below the prefix that are not part of it are removed. */
  readonly replaces: boolean
}

export type OpenStage = (plan: StagePlan) => Promise<Stage>

/**
 * The end of the work of a job of many files. From `Job.commit` on it is too late for a stop. Throws `files-failed` if a file
 * is missing that would have to be published with the others.
 */
export async function publishAll(job: Job, stage: Stage | null): Promise<void> {
  if (!stage) {
    job.commit()
    return
  }
  const files = job.files?.record()
  if (files && files.failed > 0) throw filesFailed(files)
  const { removed } = await stage.publish((removed) => {
    job.commit()
    return job.files!.publicationWith(removed)
  })
  job.countFiles((files) => {
    for (const file of removed) files.count({ ...file, status: 'removed' })
    files.isStaged = false
  })
}
