import type { JobKind } from '../../protocol/jobs.js'

/** How many jobs of a kind an account runs at the same time. */
export function slotLimit(kind: JobKind, account: string, jobsPerAccount: number): number {
  const limit = account.startsWith('share:') ? exportsPerShare : jobsPerAccount
  return kind === 'query' ? Math.max(queriesPerAccount, limit) : limit
}

/** How many requests may wait per account and kind. */
export const maxWaiting = 16

const queriesPerAccount = 2
/** The number of readers of one link that `ShareReaders` admits. */
const exportsPerShare = 32
