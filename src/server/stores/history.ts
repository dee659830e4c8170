import type { Publication } from '../../protocol/folder-jobs.js'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import type { JobFilter } from './job-filter.js'

/** A file that a resumable upload has published, as the responses of the upload describe it. */
export interface PublishedUpload {
  /** As sent by the client. */
  metadata: string
  /** null where a crash came between the publish and its record, and the file was replaced before the next start. */
  entityTag: string | null
  sha256: string | null
}

export interface HistoryEntry {
  /** Increases with every claim; the newest jobs have the highest. */
  seq: number
  /** The account that may see it, by id: ids are never reused, names are. */
  accountId: number
  job: JobRecord
  /** Of a stopped job. */
  receipt?: Receipt
  /** Of an ended job of many files. */
  published?: Publication
  /** Of a resumable upload that is done. */
  uploaded?: PublishedUpload
  /** The beginning of the SQL of a query. */
  query?: string
}

/** Which jobs there were. The newest entry of an id counts. */
export interface JobHistory {
  /** Records a job that has not ended: at its claim, and before it where the job waits. Resolves when reads see it. Never rejects: a failure is reported and tried again. */
  note(entry: HistoryEntry): Promise<void>
  /**
   * Records the end of a job. Resolves when reads see it and a crash of the server leaves it recorded, or when that had to be
   * put off. Fails as `note` does.
   */
  end(entry: HistoryEntry): Promise<void>
  has(id: string): Promise<boolean>
  find(id: string): Promise<HistoryEntry | undefined>
  /** Ended jobs only, newest first. */
  list(filter: JobFilter): Promise<HistoryEntry[]>
  /** Jobs that were noted and have no end yet, whichever server runs them, or ran them. */
  unfinished(filter: Pick<JobFilter, 'accountId' | 'kind'>): Promise<HistoryEntry[]>
  /** How many of those each account has, by its id; one that has none is missing. */
  countUnfinished(): Promise<ReadonlyMap<number, number>>
}
