import type { Context } from 'hono'
import type { JobRecord } from '../../protocol/jobs.js'
import { Problem } from '../../protocol/problems.js'
import { hasRole } from '../auth/guard.js'
import type { Jobs } from '../jobs/jobs.js'
import type { AppEnv } from '../routing/app-env.js'

/** The record of a job that the caller may see. Throws `job-not-found`, also for those of others. `isFresh` as for `Jobs.findRecord`. */
export async function findVisibleJob(
  c: Context<AppEnv>,
  jobs: Pick<Jobs, 'findRecord'>,
  id: string,
  isFresh = false,
): Promise<JobRecord> {
  const identity = c.get('identity')
  const found = await jobs.findRecord(id.toLowerCase(), isFresh)
  if (found && (found.accountId === identity.account.id || hasRole(identity, c.get('everyAccount')))) return found.job
  throw new Problem('job-not-found', `There is no job "${id}".`)
}
