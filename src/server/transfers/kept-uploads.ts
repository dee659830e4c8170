import { Problem } from '../../protocol/problems.js'
import { isSameOwner, type JobOwner } from '../jobs/job-owner.js'
import type { JobPlan } from '../jobs/job-plan.js'
import type { RemoteJob } from '../stores/remote-jobs.js'
import type { ResumableServices } from './resumable-services.js'
import { accountOfKept, type KeptUpload, resumeStateSchema } from './resume-state.js'
import { uploadNotFound } from './upload-problems.js'

/** The job of an upload that was left interrupted. */
export function planOfKept({ id, resumeState, offset }: Pick<KeptUpload, 'id' | 'resumeState' | 'offset'>) {
  const { accountId, name, length, createdAt, paused, rateLimit } = resumeState
  return {
    id,
    kind: 'upload',
    accountId,
    account: accountOfKept(resumeState),
    file: name,
    totalBytes: length,
    rateLimit,
    interrupted: { startedAt: new Date(createdAt), bytes: offset, paused },
  } satisfies JobPlan
}

/**
 * The verified bytes: without those that await their checksum, and never all of them, because a client that sees the
 * full length takes the upload for published.
 */
export function offsetOfKept({ length, uncheckedFrom }: KeptUpload['resumeState'], size: number): number {
  const most = length === null ? size : Math.max(0, length - 1)
  return Math.min(size, uncheckedFrom ?? size, most)
}

/**
 * An upload of another server, which has given it up when this resolves, or one that no server runs. Undefined if there is none.
 * Throws `upload-not-found` for one of another account.
 */
export async function findMovable(
  id: string,
  owner: JobOwner,
  { remote, partials }: Pick<ResumableServices, 'remote' | 'partials'>,
): Promise<KeptUpload | undefined> {
  const job = await remote.find(id)
  if (!job?.isResumable || job.record.kind !== 'upload') return undefined
  if (!isOf(job, owner)) throw uploadNotFound(id)
  await job.handOver()
  const partial = await partials.find(id)
  const resumeState = resumeStateSchema.safeParse(partial?.state).data
  if (!partial || partial.size === null || !resumeState) return undefined
  const offset = offsetOfKept(resumeState, partial.size)
  return { id, resumeState, offset, lastUsedAt: partial.modifiedAt }
}

/**
 * Stops an upload that another server runs. False if none does: one that is interrupted is stopped by who continues it. Throws
 * `upload-not-found` for one of another account, and `already-published`.
 */
export async function stopElsewhere(
  id: string,
  owner: JobOwner,
  { remote }: Pick<ResumableServices, 'remote'>,
): Promise<boolean> {
  const job = await remote.find(id)
  if (!job?.isResumable || job.record.kind !== 'upload' || job.record.state === 'interrupted') return false
  if (!isOf(job, owner)) throw uploadNotFound(id)
  return (await job.stop(owner.account)) !== undefined
}

function isOf({ accountId, record }: RemoteJob, owner: JobOwner): boolean {
  return isSameOwner({ accountId, account: record.account }, owner)
}

/** Another server was faster. */
export function undefinedIfUsed(error: unknown): undefined {
  if (!(error instanceof Problem) || error.code !== 'job-id-used') throw error
}
