import { parseSize } from '../protocol/units.js'
import { Failure } from './exit-codes.js'

export const rateOption = {
  flags: '--limit-rate <rate>',
  meaning: 'bytes a second at most, such as 500K or 5M',
} as const

/** Reads a rate such as `5M` into bytes per second; null where none was given. Throws for 0, which would never end. */
export function parseRate(text: string | undefined, field = '--limit-rate'): number | null {
  if (text === undefined) return null
  const rate = parseSize(text, field)
  if (rate === 0)
    throw new Failure('wrongUse', `${field}: a rate must be above 0; to hold a job, use "filejobs pause".`)
  return rate
}
