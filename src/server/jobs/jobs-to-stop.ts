import type { JobKind, JobRecord } from '../../protocol/jobs.js'
import type { RemoteJob } from '../stores/remote-jobs.js'
import type { Job } from './job.js'

/**
 * The ids of an account's jobs of a kind that a stop of all is meant for: those that hold a slot, then the resumable ones that
 * wait for one or were active recently, each newest first.
 */
export function jobsToStop(
  { kind, account }: { kind: JobKind; account: string },
  { holding, own, remote }: { holding: JobRecord[]; own: { job: Job; seq: number }[]; remote: RemoteJob[] },
): string[] {
  const resumable = [
    // A job of another server that is interrupted, and was active recently, holds its slot, or waits for one to continue.
    ...remote.filter(isResumableAndActive).map(({ seq, record }) => ({ seq, job: record })),
    ...own.filter(({ job }) => job.isResumable && !job.isSuspended),
  ].filter(({ job }) => job.kind === kind && job.account === account)
  const newestFirst = resumable.sort((first, second) => second.seq - first.seq).map(({ job }) => job)
  return [...new Set([...holding.reverse(), ...newestFirst].map(({ id }) => id))]
}

function isResumableAndActive({ isResumable, isWaiting, record }: RemoteJob): boolean {
  return isResumable && (isWaiting || record.state !== 'interrupted')
}
