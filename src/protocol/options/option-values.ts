import { Problem } from '../problems.js'
import { parseDuration, parseSize } from '../units.js'

/** Reads the text of an option. Throws `invalid-request`, naming `source`: the flag or the variable that the text is from. */
export type OptionParser<T> = (text: string, source: string) => T

export interface Bounds {
  readonly least: number
  readonly most: number
}

export const day = 86_400_000
/** Node fires a longer timer at once. */
export const longestTimer = 24 * day

export const asText: OptionParser<string> = (text) => text

export function asInteger({ least, most }: Bounds): OptionParser<number> {
  return (text, source) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw invalidOption(source, `must be a whole number from ${least} to ${most}, not "${text}"`)
  }
}

export function asDuration({ least, most }: Bounds): OptionParser<number> {
  return (text, source) => {
    const milliseconds = parseDuration(text, source)
    if (milliseconds < least) throw invalidOption(source, `must be at least ${least} ms, not "${text}"`)
    if (milliseconds > most) throw invalidOption(source, `must be at most ${most / day}d, not "${text}"`)
    return milliseconds
  }
}

/** `none` and 0 mean no limit. */
export function asTimeLimit(bounds: Bounds): OptionParser<number | null> {
  const parse = asDuration(bounds)
  return (text, source) => (text === 'none' || /^0[a-z]*$/.test(text) ? null : parse(text, source))
}

export const asSize: OptionParser<number> = (text, source) => {
  const bytes = parseSize(text, source)
  if (bytes >= 1) return bytes
  throw invalidOption(source, `must be at least 1 byte, not "${text}"`)
}

/** `none` means no limit. */
export const asSizeLimit: OptionParser<number | null> = (text, source) =>
  text === 'none' ? null : asSize(text, source)

export const asSwitch: OptionParser<boolean> = (text, source) => {
  if (text === 'on' || text === 'off') return text === 'on'
  throw invalidOption(source, `must be on or off, not "${text}"`)
}

/** One of at least two words. */
export function asChoice<const Word extends string>(words: readonly Word[]): OptionParser<Word> {
  return (text, source) => {
    const word = words.find((known) => known === text)
    if (word !== undefined) return word
    throw invalidOption(source, `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}, not "${text}"`)
  }
}

/** An `invalid-request`; `reason` follows the name of the option. */
export function invalidOption(source: string, reason: string): Problem {
  return new Problem('invalid-request', `${source} ${reason}.`, { field: source })
}
