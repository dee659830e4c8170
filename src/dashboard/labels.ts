import type { JobKind, JobRecord, JobState } from '../protocol/jobs.js'
import { formatBytes, formatDuration } from '../protocol/units.js'
import { formatNumber } from './words/format.js'

export const kindLabels = {
  upload: 'Upload',
  export: 'Download',
  import: 'Import',
  query: 'Query',
} as const satisfies Record<JobKind, string>

export const pluralLabels = {
  upload: 'uploads',
  export: 'downloads',
  import: 'imports',
  query: 'queries',
} as const satisfies Record<JobKind, string>

export const stateLabels = {
  waiting: 'waiting for a slot',
  running: 'running',
  paused: 'paused',
  interrupted: 'interrupted',
  committing: 'finishing',
  done: 'done',
  stopped: 'stopped',
  failed: 'failed',
} as const satisfies Record<JobState, string>

export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`
}

/** The remaining time of a job; empty if unknown. */
export function timeLeft({ bytes, totalBytes, rate, state }: JobRecord): string {
  if (state !== 'running' || totalBytes === null || !rate) return ''
  const seconds = Math.ceil((totalBytes - bytes) / rate)
  return seconds > 0 ? `${formatDuration(seconds * 1000)} left` : ''
}

/** `1,234 rows`, `1 row`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${formatNumber(number)} ${number === 1 ? one : many}`
}

/** The approximate time until then: `3 h`, `2 days`. */
export function timeUntil(time: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(time) - Date.now()) / 60_000))
  if (minutes < 1) return 'less than a minute'
  if (minutes < 90) return `${minutes} min`
  if (minutes < 48 * 60) return `${Math.round(minutes / 60)} h`
  return `${Math.round(minutes / 1440)} days`
}
