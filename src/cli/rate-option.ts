import { invalidOption } from '../protocol/options/option-values.js'
import { parseBytesPerSecond } from '../protocol/units.js'

export const rateOption = {
  flags: '--limit-rate <rate>',
  meaning: 'bytes a second at most, such as 500K or 5M',
} as const

/** Retries without progress before a transfer gives up. */
export const defaultRetries = 10

export const retriesOption = {
  flags: '--retries <number>',
  meaning: `how often in a row to try again without getting further (default: ${defaultRetries})`,
} as const

/** Parses the number of retries. */
export function parseRetries(text: string | undefined): number {
  if (text === undefined) return defaultRetries
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw invalidOption('--retries', `must be a whole number of 0 or more, not "${text}"`)
}

/** Parses a rate such as `5M` into bytes per second; null if none was given. Throws for 0, which would never finish. */
export function parseRate(text: string | undefined, field = '--limit-rate'): number | null {
  if (text === undefined) return null
  const rate = parseBytesPerSecond(text, field)
  if (rate === 0) throw invalidOption(field, 'must be above 0; "filejobs pause" suspends a job')
  return rate
}
