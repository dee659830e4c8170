import type { Publication } from '../../../protocol/folder-jobs.js'
import type { JobKind, JobRecord, JobState, Receipt } from '../../../protocol/jobs.js'
import type { HistoryEntry, PublishedUpload } from '../history.js'
import type { Database, Transaction } from './database.js'

/** A row of `jobs`, as far as it is history. */
export interface HistoryRow {
  id: string
  seq: number
  accountId: number
  kind: JobKind
  state: JobState
  record: JobRecord
  receipt: Receipt | null
  published: Publication | null
  uploaded: PublishedUpload | null
}

export function entryColumns(sql: Database | Transaction) {
  return sql`id, seq, account_id, kind, state, record, receipt, published, uploaded`
}

export function entryOfRow({ seq, accountId, record, receipt, published, uploaded }: HistoryRow): HistoryEntry {
  const rest = { ...(published ? { published } : {}), ...(uploaded ? { uploaded } : {}) }
  return { seq, accountId, job: record, ...(receipt ? { receipt } : {}), ...rest }
}
