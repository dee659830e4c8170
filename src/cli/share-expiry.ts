import { Problem } from '../protocol/problems.js'
import { parseDuration } from '../protocol/units.js'

/**
 * Reads when a link ends: a duration such as `7d`, or a local date, whose whole day counts, with or without a time. Throws
 * `invalid-request`, naming the flag.
 */
export function parseExpiry(text: string, flag: string): { expiresIn: number } | { expiresAt: string } {
  const [, year, month, day, hour, minute] = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d))?$/.exec(text.trim()) ?? []
  if (year === undefined) return { expiresIn: Math.ceil(readDuration(text, flag) / 1000) }
  const isDay = hour === undefined
  const start = new Date(Number(year), Number(month) - 1, Number(day), Number(hour ?? 0), Number(minute ?? 0))
  // Date takes 2026-02-30 for the second of March.
  if (start.getMonth() !== Number(month) - 1 || start.getDate() !== Number(day) || Number(hour ?? 0) > 23) {
    throw new Problem('invalid-request', `${flag}: there is no ${text}.`, { field: flag })
  }
  if (isDay) start.setDate(start.getDate() + 1)
  return { expiresAt: start.toISOString() }
}

function readDuration(text: string, flag: string): number {
  try {
    return parseDuration(text, flag)
  } catch {
    const known = 'a duration such as 30s, 10m, 24h or 7d, or a date such as 2026-12-31'
    throw new Problem('invalid-request', `${flag} must be ${known}, not "${text}".`, { field: flag })
  }
}
