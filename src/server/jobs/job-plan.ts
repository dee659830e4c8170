import type { JobKind } from '../../protocol/jobs.js'

/** The properties of a job before its start. */
export interface JobPlan {
  /** A UUID. */
  id: string
  kind: JobKind
  accountId: number
  /** `role:username` */
  account: string
  file?: string | null
  table?: string | null
  /** The SQL of a query. */
  query?: string | null
  totalBytes?: number | null
  /** For a job of many files: how many, if that is known. Default: it is no such job. */
  files?: { total: number | null } | null
  /** For a job that an earlier run of the server left interrupted. */
  interrupted?: { startedAt: Date; bytes: number; paused: boolean }
  /** Bytes per second from its first byte on; null, the default, for none. */
  rateLimit?: number | null
  /** Whether it outlives its requests; default false. */
  isResumable?: boolean
}

export interface NewJob extends Omit<JobPlan, 'id'> {
  id?: string | null
  /** The job stays `waiting` with its slot until its work starts it. Default false. */
  startsLater?: boolean
}
