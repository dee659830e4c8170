import type { JobKind } from '../../protocol/jobs.js'
import { requestOfJob } from './request-account.js'

/** How many jobs of a kind an account runs at the same time. */
export function slotLimit(kind: JobKind, account: string, jobsPerAccount: number): number {
  if (account.startsWith('share:')) return exportsPerShare
  if (requestOfJob({ account }) !== undefined) return uploadsPerRequest
  return kind === 'query' ? Math.max(queriesPerAccount, jobsPerAccount) : jobsPerAccount
}

/** How many requests may wait per account and kind. */
export const maxWaiting = 16

const queriesPerAccount = 2
/** The number of readers of one link that `ShareReaders` admits. */
const exportsPerShare = 32
const uploadsPerRequest = 8
