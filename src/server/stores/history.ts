import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import type { JobFilter } from '../jobs/job-filter.js'

export interface HistoryEntry {
  /** Counts up with every claim; newest jobs have the highest. */
  seq: number
  /** Who may see it, by id: ids are never reused, names are. */
  accountId: number
  job: JobRecord
  /** Of a stopped job. */
  receipt?: Receipt
}

/** What jobs there were. An entry appended again replaces the one of the same id: at the claim, before it where the job waits, and at the end. */
export interface JobHistory {
  /** 0 when there is none. */
  readonly lastSeq: number
  /** Takes effect at once for the methods below; written soon after, in order. A failing disk is logged, not thrown. */
  append(entry: HistoryEntry): void
  has(id: string): Promise<boolean>
  find(id: string): Promise<HistoryEntry | undefined>
  /** Ended jobs only, newest first. */
  list(filter: JobFilter): Promise<HistoryEntry[]>
  /** Entries with a claim and no end: at the start, what a crash left. */
  unfinished(): Promise<HistoryEntry[]>
}
