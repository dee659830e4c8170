import type { Publication } from '../../../protocol/folder-jobs.js'
import type { JobKind, JobRecord, JobState, Receipt } from '../../../protocol/jobs.js'
import type { HistoryEntry } from '../history.js'
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
}

export function entryColumns(sql: Database | Transaction) {
  return sql`id, seq, account_id, kind, state, record, receipt, published`
}

export function entryOfRow({ seq, accountId, record, receipt, published }: HistoryRow): HistoryEntry {
  return { seq, accountId, job: record, ...(receipt ? { receipt } : {}), ...(published ? { published } : {}) }
}
