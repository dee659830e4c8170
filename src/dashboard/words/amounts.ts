import type { JobRecord } from '../../protocol/jobs.js'
import { formatBytes, formatDuration } from '../../protocol/units.js'
import { say } from './say.js'

export function formatRate(bytesPerSecond: number): string {
  return say('amount.rate', { bytes: formatBytes(Math.round(bytesPerSecond)) })
}

/** The remaining time of a job; empty if unknown. */
export function timeLeft({ bytes, totalBytes, rate, state }: JobRecord): string {
  if (state !== 'running' || totalBytes === null || !rate) return ''
  const seconds = Math.ceil((totalBytes - bytes) / rate)
  return seconds > 0 ? say('amount.timeLeft', { time: formatDuration(seconds * 1000) }) : ''
}

/** The approximate time until then: `3 h`, `2 days`. */
export function timeUntil(time: string): string {
  const minutes = Math.max(0, Math.round((Date.parse(time) - Date.now()) / 60_000))
  if (minutes < 1) return say('amount.moment')
  if (minutes < 90) return say('amount.minutes', { count: minutes })
  if (minutes < 48 * 60) return say('amount.hours', { count: Math.round(minutes / 60) })
  return say('amount.days', { count: Math.round(minutes / 1440) })
}
