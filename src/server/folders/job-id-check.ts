import { Problem } from '../../protocol/problems.js'
import { jobHeader, partOfHeader } from '../../protocol/routes.js'

/** Throws `invalid-request` if a request sets the id of a new job, although it belongs to one. */
export function checkHasNoJobId({ jobId }: { jobId: string | null }): void {
  if (jobId === null) return
  throw new Problem('invalid-request', `${jobHeader} is the id of a new job: leave it out beside ${partOfHeader}.`, {
    field: jobHeader,
  })
}
