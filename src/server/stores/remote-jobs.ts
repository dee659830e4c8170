import type { JobRecord, Receipt } from '../../protocol/jobs.js'

/** The unfinished jobs that other servers run, or none at present. */
export interface RemoteJobs {
  find(id: string): Promise<RemoteJob | undefined>
  /** Those of an account, or of all for null, in the order of their claims. */
  unfinished(accountId: number | null): Promise<RemoteJob[]>
}

/**
 * A job of another server. Each request is answered, also if that server ends meanwhile. It resolves to undefined if the
 * job ended before it could be asked: the history tells how. Throws the problem that the job's server throws.
 */
export interface RemoteJob {
  readonly seq: number
  readonly accountId: number
  /** As its server has last recorded it. */
  readonly record: JobRecord
  /** As `Job.stop`: answered when the job has ended. A stopped job gives its receipt again. */
  stop(by: string): Promise<Receipt | undefined>
  pause(): Promise<JobRecord | undefined>
  resume(): Promise<JobRecord | undefined>
  /** Bytes per second, or null for no limit. */
  limitRate(bytesPerSecond: number | null): Promise<JobRecord | undefined>
}

/** What a server does for the others with a job that it runs. */
export interface OwnJobs {
  stop(id: string, by: string): Promise<Receipt>
  pause(id: string): Promise<JobRecord>
  resume(id: string): Promise<JobRecord>
  limitRate(id: string, bytesPerSecond: number | null): Promise<JobRecord>
}
