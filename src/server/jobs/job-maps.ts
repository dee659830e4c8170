import type { JobKind } from '../../protocol/jobs.js'
import type { Clock } from '../clock.js'
import { slotLimit } from '../stores/slot-limits.js'
import { JobMap } from './job-map.js'

/** The slots of each kind of job. `clock` limits the waits for them. */
export function openJobMaps(jobsPerAccount: number, clock: Pick<Clock, 'after'>): Record<JobKind, JobMap> {
  const open = (kind: JobKind) => new JobMap((account) => slotLimit(kind, account, jobsPerAccount), clock)
  return { upload: open('upload'), export: open('export'), import: open('import'), query: open('query') }
}
