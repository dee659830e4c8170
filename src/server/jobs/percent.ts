import type { JobState } from '../../protocol/jobs.js'

/** To a tenth; null if the total is unknown. */
export function percentOf(bytes: number, total: number | null, state: JobState): number | null {
  if (total === null) return null
  if (total === 0) return state === 'done' ? 100 : 0
  return Math.min(100, Math.floor((bytes / total) * 1000) / 10)
}
