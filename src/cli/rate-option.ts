import { parseSize } from '../protocol/units.js'
import { Failure } from './exit-codes.js'

export const rateOption = {
  flags: '--limit-rate <rate>',
  meaning: 'bytes a second at most, such as 500K or 5M',
} as const

/** How often in a row a transfer is tried again without getting further. */
export const defaultRetries = 10

export const retriesOption = {
  flags: '--retries <number>',
  meaning: `how often in a row to try again without getting further (default: ${defaultRetries})`,
} as const

/** Reads the number of retries. */
export function parseRetries(text: string | undefined): number {
  if (text === undefined) return defaultRetries
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new Failure('wrongUse', `--retries: "${text}" is not a number from 0 on.`)
}

/** Reads a rate such as `5M` into bytes per second; null where none was given. Throws for 0, which would never end. */
export function parseRate(text: string | undefined, field = '--limit-rate'): number | null {
  if (text === undefined) return null
  const rate = parseSize(text, field)
  if (rate === 0)
    throw new Failure('wrongUse', `${field}: a rate must be above 0; to hold a job, use "filejobs pause".`)
  return rate
}
