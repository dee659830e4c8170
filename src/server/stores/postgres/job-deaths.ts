import type { Publication } from '../../../protocol/folder-jobs.js'
import type { JobKind, JobRecord, Receipt } from '../../../protocol/jobs.js'
import type { PublishedUpload } from '../history.js'
import { doneAfterAll, endedWithServer } from '../lost-jobs.js'
import type { Transaction } from './database.js'
import { jsonText } from './json-text.js'

/** A stop that was requested of a job whose server died before it answered. */
export interface OpenStop {
  by: string
  at: Date
}

/** The end of a job that no server runs any more: stopped if that was requested, failed otherwise. */
export function endOfOrphan(last: JobRecord, stop: OpenStop | null, now: Date): OrphanEnd {
  const job = { ...last, rate: null, endedAt: now.toISOString() }
  if (!stop) return { record: { ...job, state: 'failed', error: lostServer() }, receipt: null }
  const record: JobRecord = { ...job, state: 'stopped', stoppedBy: stop.by }
  return { record, receipt: receiptOf(record, stop, now) }
}

/** The end of an upload whose server died after the publish. */
export function endOfPublished(last: JobRecord, now: Date): OrphanEnd {
  return { record: doneAfterAll(last, last.totalBytes ?? last.bytes, now.toISOString()), receipt: null }
}

interface OrphanEnd {
  record: JobRecord
  receipt: Receipt | null
}

export interface RecordedEnd extends OrphanEnd {
  published: Publication | null
  uploaded: PublishedUpload | null
}

export async function recordOrphanEnd(
  sql: Transaction,
  id: string,
  { record, receipt, published, uploaded }: RecordedEnd,
): Promise<void> {
  await sql`
    update jobs set state = ${record.state}, record = ${jsonText(record)}::text::json,
      receipt = ${receipt && jsonText(receipt)}::text::json,
      published = ${published && jsonText(published)}::text::json,
      uploaded = ${uploaded && jsonText(uploaded)}::text::json, ended_at = ${record.endedAt}
    where id = ${id} and ended_at is null`
}

/** A resumable job waits for its client, without a server. Returns its record. */
export async function recordInterruption(sql: Transaction, id: string, last: JobRecord): Promise<JobRecord> {
  const record: JobRecord = { ...last, state: 'interrupted', rate: null }
  await sql`update jobs set state = ${record.state}, record = ${jsonText(record)}::text::json where id = ${id}`
  return record
}

function lostServer(): JobRecord['error'] {
  const { code, message, status } = endedWithServer()
  return { code, message, status }
}

/** What its server had on its disk is not known to be gone. */
function receiptOf(job: JobRecord, { by, at }: OpenStop, now: Date): Receipt {
  const what = `Stopped the ${job.kind}${job.file ? ` of ${job.file}` : ''}`
  return {
    message: `${what}: its server ended meanwhile; ${unfinished[job.kind]}`,
    job,
    stoppedBy: by,
    stoppedAt: at.toISOString(),
    bytesDiscarded: job.kind === 'upload' ? job.bytes : 0,
    published: job.files ? { files: job.files.done - job.files.unchanged, bytes: job.bytes } : null,
    cleanedUp: false,
    tookMs: Math.max(0, now.getTime() - at.getTime()),
  }
}

const unfinished: Record<JobKind, string> = {
  upload: 'nothing was published after that, but what had arrived is still to be removed.',
  export: 'the connection was cut.',
  import: 'no row was published.',
  query: 'its process has ended.',
}
