import type { Publication } from '../../../protocol/folder-jobs.js'
import type { JobKind, JobRecord, JobState, Receipt } from '../../../protocol/jobs.js'
import type { HistoryEntry, PublishedUpload } from '../history.js'
import type { Database, Transaction } from './database.js'
import { jsonText } from './json-text.js'

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
  query: string | null
}

export function entryColumns(sql: Database | Transaction) {
  return sql`id, seq, account_id, kind, state, record, receipt, published, uploaded, query`
}

/** For a job that publishes its files in this transaction: a server that finds it left behind ends it as done. */
export async function recordPublication(sql: Transaction, job: string, published: Publication): Promise<void> {
  await sql`update jobs set published = ${jsonText(published)}::text::json where id = ${job} and ended_at is null`
}

export function entryOfRow(row: HistoryRow): HistoryEntry {
  const { seq, accountId, record, receipt, published, uploaded, query } = row
  return {
    ...{ seq, accountId, job: record },
    ...(receipt && { receipt }),
    ...(published && { published }),
    ...(uploaded && { uploaded }),
    ...(query !== null && { query }),
  }
}
