import type { JobRecord } from '../../protocol/jobs.js'

/** Of a job: its id, its bytes, its rate, and what else has changed since the last message about it. */
export type JobProgress = [id: string, bytes: number, rate: number | null, changes?: Partial<JobRecord>]

/** What servers tell each other. */
export type BusMessage =
  /** A job of that server got a slot. */
  | { granted: string }
  /** Jobs wait for the slots of a kind and account, or none does any more. */
  | { wanted: string; isWanted: boolean }
  /** There is a request to a job of that server. */
  | { request: string }
  /** The request has its answer. */
  | { answered: string }
  /** A job has another state. */
  | { job: JobRecord; accountId: number }
  /** The same, if the record is too long for a message: it is in the history. */
  | { changed: string }
  | { progress: JobProgress[] }
  /** The sender wants the progress of the jobs of these accounts for a while; null for all. */
  | { listening: number[] | null }
  /** Sessions have ended, of which transfers may run here. */
  | {
      ended: ({ sessions: string[] } | { accountId: number; exceptSession?: string }) & { by: string; message: string }
    }
  | { revoked: { shares: string[]; by: string } }
  /** An export was stopped, which its reader may try to continue here. */
  | { stoppedExport: StoppedExport }
  /** Its reader has begun anew. */
  | { restartedExport: string }
  /** The sender counts this towards limits of all servers. */
  | { counted: LimitCount }
  /** The sender moves bytes of these accounts, whose rates are limited. Repeated while it does. */
  | { moving: string[] }
  /** The sender does no more for this account. */
  | { moved: string }

/** Logins of an account, of a network and by familiar clients, and signups of a network. */
export interface LimitCount {
  limit: 'account' | 'network' | 'familiar' | 'signup'
  key: string
  amount: number
}

/** The readers are digests. */
export interface StoppedExport {
  reader: string
  /** The reader with its program; null if that does not repeat requests by itself. */
  repeat: string | null
  job: string
}

/**
 * Messages between servers. Any of them may be lost: they make it fast, and what has to be certain is in the rows,
 * which are read again after a gap.
 */
export interface Bus {
  /** To a server, by its number, or to all others. Returns at once, and never throws. */
  tell(to: number | 'all', message: BusMessage): void
  /** Returns a function that removes the listener. */
  onMessage(listener: (message: BusMessage, from: number) => void): () => void
  /** Called when messages may have been lost. Returns a function that removes the listener. */
  onGap(listener: () => void): () => void
}

/** Tells of a job's state, which the history has, too. */
export function jobMessage(job: JobRecord, accountId: number): BusMessage {
  return JSON.stringify(job).length < maxRecord ? { job, accountId } : { changed: job.id }
}

/** Characters of a record that fits into a message, whatever bytes they take. */
const maxRecord = 2000
