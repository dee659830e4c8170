import type { JobChanges, JobRecord, Receipt } from '../../protocol/jobs.js'

/** The unfinished jobs that other servers run, or none at present. */
export interface RemoteJobs {
  find(id: string): Promise<RemoteJob | undefined>
  /** Those of an account, or of all for null, in the order of their claims; with `latest`, only the last ones. */
  unfinished(accountId: number | null, latest?: LatestJobs): Promise<RemoteJob[]>
  /** Resolves when the records of the account's running jobs, or of all for null, have their progress, or a moment later. */
  refresh(accountId: number | null): Promise<void>
  /**
   * Resolves when this server knows which of its jobs others have taken, because they found it dead: these jobs are aborted
   * then. Throws `storage-unavailable` if it cannot know it.
   */
  confirmOwn(): Promise<void>
}

export interface LatestJobs {
  limit: number
  /** A sequence number; undefined for all. */
  before: number | undefined
}

/**
 * A job of another server. Each request is answered, also if that server ends meanwhile. It resolves to undefined if the
 * job ended before it could be asked: the history tells how. Throws the problem that the job's server throws.
 */
export interface RemoteJob {
  readonly seq: number
  readonly accountId: number
  /** Whether it continues between its requests. */
  readonly isResumable: boolean
  /** Whether it waits for a slot, to begin or to continue. */
  readonly isWaiting: boolean
  /** As its server has last recorded it. */
  readonly record: JobRecord
  /** What its client was told is stored, if it is resumable; otherwise 0. */
  readonly storedBytes: number
  /** As `Job.stop`: answered when the job has ended. A stopped job gives its receipt again. */
  stop(by: string): Promise<Receipt | undefined>
  pause(): Promise<JobRecord | undefined>
  resume(): Promise<JobRecord | undefined>
  /** As `Jobs.change`. */
  change(changes: JobChanges): Promise<JobRecord | undefined>
  /** Its client has come here: no server runs it when this resolves, or it has ended, or another one has been faster. */
  handOver(): Promise<void>
}

/** What a server does for the others with a job that it runs. */
export interface OwnJobs {
  stop(id: string, by: string): Promise<Receipt>
  pause(id: string): Promise<JobRecord>
  resume(id: string): Promise<JobRecord>
  change(id: string, changes: JobChanges): Promise<JobRecord>
  /** Gives a resumable job up, so that another server continues it. One that is unknown, or has ended, is no error. */
  handOver(id: string): Promise<void>
}

/** Of a server that is alone. */
export const noRemoteJobs: RemoteJobs = {
  find: async () => undefined,
  unfinished: async () => [],
  refresh: async () => {},
  confirmOwn: async () => {},
}
