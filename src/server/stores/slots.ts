import type { JobKind, JobRecord } from '../../protocol/jobs.js'

export interface QueueWait {
  /** How long to wait for a free slot; 0 rejects at once, `Infinity` waits as long as the client does. */
  waitMs: number
  /** Aborts when the waiting client disconnects. */
  signal: AbortSignal
  /** Whether the number of waiting jobs is limited; default true. False if something else limits it. */
  isBounded?: boolean
  /** Whether a job of the same file on another server is to be joined instead; default false. */
  joins?: boolean
}

/** The properties of a job that a claim depends on. */
export interface SlotJob {
  readonly id: string
  readonly kind: JobKind
  /** The account that may see it, by id. */
  readonly accountId: number
  /** `role:username` */
  readonly account: string
  readonly file: string | null
  /** Aborts when the job is stopped: it leaves the queue. */
  readonly signal: AbortSignal
  record(): JobRecord
}

export interface Claim {
  /** The position in the list of jobs: each claim gets a higher number than all claims before it. */
  seq: number
  /** Aborts when the claim no longer belongs to this server. Its reason is a problem. */
  lost: AbortSignal
  /**
   * null if the job has its slot, or needs none yet. Otherwise resolves when it gets one, and rejects with `job-running`
   * if none became free in time, with the reason of the job's signal, or with that of the client's.
   */
  queued: Promise<void> | null
}

/** The slots of each account and kind of job, and the queues for them: first come, first served. */
export interface Slots {
  /**
   * Takes a new job's id and a slot, or a position in the queue, in one step. Throws `job-id-used`, the reason of
   * `wait.signal`, `job-running`, naming the running job, if it may not wait or the queue is full, and `RunsElsewhere`.
   */
  claim(job: SlotJob, wait: QueueWait): Promise<Claim>
  /** Takes the id of a job that needs no slot yet. Throws `job-id-used`, unless `seq` is that of an earlier run's job. */
  register(job: SlotJob, seq?: number): Promise<Claim>
  /**
   * Takes a slot for a job that was registered, or waits for it. Rejects like `claim` and `Claim.queued`. `onWanted` is
   * called when another job starts to wait for the slot, also if the job has it already.
   */
  claimAgain(job: SlotJob, wait: QueueWait, onWanted: () => void): Promise<void>
  /**
   * Gives the slot to the next job in the queue. Takes effect before it returns where the queue is in this process, so
   * that a client's next request finds the slot free. Repeating it is not an error.
   */
  release(job: SlotJob): Promise<void>
  /** Releases the slot and gives up a job that was registered, so that another server can register it. */
  handOver(job: SlotJob): Promise<void>
  /** The jobs that hold a slot, oldest first. */
  holding(kind: JobKind, account: string): Promise<JobRecord[]>
  /** Whether a job waits for a slot, as far as this server knows. */
  isWanted(kind: JobKind, account: string): boolean
}
