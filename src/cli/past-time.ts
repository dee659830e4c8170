import { invalidOption } from '../protocol/options/option-values.js'
import { parseDuration } from '../protocol/units.js'

/** Reads a time that is over: how long ago, such as `7d`, or a local date, which is its beginning. Throws `invalid-request`, naming the flag. */
export function parsePastTime(text: string, flag: string): string {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text.trim()) ?? []
  if (year === undefined) return new Date(Date.now() - durationOf(text, flag)).toISOString()
  const start = new Date(Number(year), Number(month) - 1, Number(day))
  // Date takes 2026-02-30 for the second of March.
  if (start.getMonth() !== Number(month) - 1) throw invalidOption(flag, `must be a date that exists, not "${text}"`)
  return start.toISOString()
}

function durationOf(text: string, flag: string): number {
  try {
    return parseDuration(text, flag)
  } catch {
    throw invalidOption(flag, `must be a duration such as 24h or 7d, or a date such as 2026-11-20, not "${text}"`)
  }
}
