import { Problem } from '../../protocol/problems.js'

/**
 * A date format: the order of year, month and day, and the separators. `pattern` is the engine's (`strptime`);
 * `matches` is stricter than the engine, which accepts `2014-1` or `99999-1-1` too.
 */
export interface DateFormat {
  readonly pattern: string
  /**
   * The end of a date that starts at `from`, or -1 if it is invalid or does not exist (such as the 30th of February).
   */
  end(bytes: Uint8Array, from: number): number
  /** The date as `2014-10-08`; undefined if the value is none. */
  toIso(value: string): string | undefined
  /** Whether the engine is given `toIso` of each value. */
  readonly isRewritten: boolean
}

export const isoDates = '%Y-%m-%d'
export const monthFirstDates = '%m/%d/%Y'
/** Formats that mean one day only, wherever they are used. */
export const clearDates = ['%d.%m.%Y', '%d-%b-%Y', '%d %b %Y', '%Y/%m/%d']
/** Formats that are used only on request: their values could mean another day, or need not be dates. */
export const otherDates = ['%d/%m/%Y', '%d-%m-%Y', '%m-%d-%Y', '%Y.%m.%d', '%Y%m%d']

/** Tells of date formats whether a text is a date of theirs, as a whole. */
export function dateTest(text: string): (dates: DateFormat) => boolean {
  if (text.length === 0 || text.length > longestDate) return () => false
  const bytes = Buffer.from(text)
  return (dates) => dates.end(bytes, 0) === bytes.length
}

const named: Record<string, string> = { iso: isoDates, 'month-first': monthFirstDates, 'day-first': '%d/%m/%Y' }
const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Parses `iso`, `month-first`, `day-first`, or a pattern with `%Y`, `%m` or `%b` (a month's English name), and `%d` once
 * each, such as `%d.%m.%Y`. Throws `invalid-request`.
 */
export function parseDateFormat(text: string, field = 'dateFormat'): DateFormat {
  const pattern = named[text] ?? text
  const tokens = pattern.match(/%[Ymbd]|[-/. ]/g) ?? []
  const parts = tokens.filter((token) => token.startsWith('%'))
  const known = tokens.join('') === pattern && ['%Y%d%m', '%Y%b%d'].includes(parts.toSorted().join(''))
  if (!known || (tokens.length !== 3 && !/^%.[-/. ]%.[-/. ]%.$/.test(pattern))) {
    throw new Problem(
      'invalid-request',
      `${field}: "${text}" is none; write iso, month-first, day-first, or a pattern like %d.%m.%Y.`,
      { field },
    )
  }
  const found = new Int32Array(3)
  const [year, month, day] = ['Y', '[mb]', 'd'].map((part) => parts.findIndex((each) => each.match(`%${part}`)))
  const end = matcher(tokens, found)
  const toIso = (value: string) => {
    const bytes = Buffer.from(value)
    if (bytes.length === 0 || end(bytes, 0) !== bytes.length) return undefined
    const [y, m, d] = [found[year!], found[month!], found[day!]].map(String)
    return `${y!.padStart(4, '0')}-${m!.padStart(2, '0')}-${d!.padStart(2, '0')}`
  }
  return { pattern, end, toIso, isRewritten: parts.includes('%b') }
}

/** Compiles the tokens into a parser of bytes. Months and days may lack their leading zero if a separator follows. */
function matcher(tokens: string[], found: Int32Array): DateFormat['end'] {
  const parts = tokens.filter((token) => token.startsWith('%'))
  const most = parts.map((part) => (part === '%Y' ? 4 : 2))
  const glued = tokens.length < 5
  const least = parts.map((part) => (part === '%Y' ? 4 : glued ? 2 : 1))
  const name = parts.indexOf('%b')
  const month = Math.max(name, parts.indexOf('%m'))
  const [year, day] = [parts.indexOf('%Y'), parts.indexOf('%d')]
  const divider = glued ? [-1, -1] : [tokens[1]!.charCodeAt(0), tokens[3]!.charCodeAt(0)]
  return (bytes, from) => {
    let at = from
    for (let part = 0; part < 3; part++) {
      const number = part === name ? readMonth(bytes, at) : readNumber(bytes, at, most[part]!)
      const digits = number >> 16
      if (digits < least[part]!) return -1
      found[part] = number & 0xffff
      at += digits
      if (part < 2 && !glued && bytes[at++] !== divider[part]) return -1
    }
    return exists(found[year]!, found[month]!, found[day]!) ? at : -1
  }
}

/** The number of digits, at most `most`, in the upper 16 bits, the value in the lower. */
function readNumber(bytes: Uint8Array, from: number, most: number): number {
  let value = 0
  let digits = 0
  while (digits < most) {
    const digit = bytes[from + digits]! - 48
    if (!(digit >= 0 && digit <= 9)) break
    value = value * 10 + digit
    digits++
  }
  return (digits << 16) | value
}

/** The length of an English name of a month, short or whole, in the upper 16 bits, and the number of the month. */
function readMonth(bytes: Uint8Array, from: number): number {
  let to = from
  while (to < from + longestMonth && isLetter(bytes[to])) to++
  const word = String.fromCharCode(...bytes.subarray(from, to)).toLowerCase()
  const month = months.findIndex((name) => word === name || word === name.slice(0, 3)) + 1
  return month === 0 ? 0 : ((to - from) << 16) | month
}

function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && (byte | 32) >= 97 && (byte | 32) <= 122
}

const months = 'january february march april may june july august september october november december'.split(' ')
const longestMonth = 'september'.length
const longestDate = '01 september 2026'.length

function exists(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth[month - 1]!) return false
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}
