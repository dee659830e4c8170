import type { JobKind } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import { JobMap } from './job-map.js'

/** The slots of each kind of job. `clock` limits the waits for them. */
export function openJobMaps(jobsPerAccount: number, clock: Pick<Clock, 'after'>): Record<JobKind, JobMap> {
  const limitOf = (account: string) => (account.startsWith('share:') ? exportsPerShare : jobsPerAccount)
  return {
    upload: new JobMap(limitOf, clock),
    export: new JobMap(limitOf, clock),
    import: new JobMap(limitOf, clock),
    query: new JobMap((account) => Math.max(queriesPerAccount, limitOf(account)), clock),
  }
}

const queriesPerAccount = 2
/** The number of readers of one link that `Shares.enter` admits. */
const exportsPerShare = 32
