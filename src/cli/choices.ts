import { invalidOption } from '../protocol/options/option-values.js'

/** Returns the text if each of its values, separated by commas, is one of `known`. Throws `invalid-request`, naming the flag. */
export function parseChoices(text: string, flag: string, known: readonly string[]): string {
  const wrong = text.split(',').find((value) => !known.includes(value))
  if (wrong === undefined) return text
  throw invalidOption(flag, `must be one of ${known.join(', ')}, not "${wrong}"`)
}

/** Reads a whole number. Throws `invalid-request`, naming the flag. */
export function parseCount(text: string, flag: string, least = 0): number {
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (count >= least) return count
  throw invalidOption(flag, `must be a whole number of ${least} or more, not "${text}"`)
}
