import type { JobRecord, JobState } from '../../protocol/jobs.js'

/** To a tenth; null if the total is unknown. */
export function percentOf(bytes: number, total: number | null, state: JobState): number | null {
  if (total === null) return null
  if (total === 0) return state === 'done' ? 100 : 0
  return Math.min(100, Math.floor((bytes / total) * 1000) / 10)
}

/** The record with other progress. */
export function withBytes(record: JobRecord, bytes: number): JobRecord {
  return { ...record, bytes, percent: percentOf(bytes, record.totalBytes, record.state) }
}
