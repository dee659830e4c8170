import type { JobKind, Receipts } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import type { Identity } from '../auth/identity.js'
import type { Jobs } from '../jobs/jobs.js'
import { receiptsOf } from '../openapi/answers.js'

/**
 * Stops the account's running jobs of a kind. Throws `no-running-job` with the interface's own message if there is
 * none.
 */
export async function stopRunning(
  jobs: Jobs,
  kind: JobKind,
  { account }: Identity,
  nothingRuns: string,
): Promise<Receipts> {
  try {
    return receiptsOf(await jobs.stopAll(kind, account))
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'no-running-job') throw error
    throw new Problem('no-running-job', nothingRuns, {}, { cause: error })
  }
}
