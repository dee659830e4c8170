import type { Clock } from '../clock.js'
import type { FolderJobs } from '../folders/folder-jobs.js'
import type { Jobs } from '../jobs/jobs.js'
import type { Throttle } from '../jobs/throttle.js'
import type { Capacity } from '../stores/capacity.js'
import type { PublishedFiles } from '../stores/files.js'
import type { Partials } from '../stores/partials.js'
import type { SpaceReservations } from '../stores/space.js'
import type { RequestLimits } from './room.js'

export interface UploadServices {
  files: Pick<PublishedFiles, 'checkName' | 'find'>
  partials: Partials
  capacity: Pick<Capacity, 'freed'>
  jobs: Jobs
  folders: Pick<FolderJobs, 'join' | 'mustBeOpen'>
  clock: Clock
  space: SpaceReservations
  requests: RequestLimits
  idleTimeoutMs: number
  /** The account's own rate limit, shared by all of its transfers. */
  throttleOf(account: string): Throttle
  /** Collects the garbage that is young. Default: it is left to V8. */
  collectYoung?: (() => void) | undefined
  /** Throws when the account may not publish any more. */
  checkAccess(accountId: number): Promise<void>
}
