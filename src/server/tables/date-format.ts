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
}

export const isoDates = '%Y-%m-%d'
export const monthFirstDates = '%m/%d/%Y'
/** Formats that are used only on request: their values could mean another day, or need not be dates. */
export const otherDates = ['%d/%m/%Y', '%d.%m.%Y', '%d-%m-%Y', '%m-%d-%Y', '%Y/%m/%d', '%Y.%m.%d']

const named: Record<string, string> = { iso: isoDates, 'month-first': monthFirstDates, 'day-first': '%d/%m/%Y' }
const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Parses `iso`, `month-first`, `day-first`, or a pattern with `%Y`, `%m` and `%d` once each, such as `%d.%m.%Y`. Throws
 * `invalid-request`.
 */
export function parseDateFormat(text: string): DateFormat {
  const pattern = named[text] ?? text
  const tokens = pattern.match(/%[Ymd]|[-/. ]/g) ?? []
  const parts = tokens.filter((token) => token.startsWith('%'))
  const known = tokens.join('') === pattern && parts.toSorted().join('') === '%Y%d%m'
  if (!known || (tokens.length !== 3 && !/^%.[-/. ]%.[-/. ]%.$/.test(pattern))) {
    throw new Problem(
      'invalid-request',
      `dateFormat: "${text}" is none; write iso, month-first, day-first, or a pattern like %d.%m.%Y.`,
      { field: 'dateFormat' },
    )
  }
  return { pattern, end: matcher(tokens) }
}

/** Compiles the tokens into a parser of bytes. Months and days may lack their leading zero if a separator follows. */
function matcher(tokens: string[]): DateFormat['end'] {
  const parts = tokens.filter((token) => token.startsWith('%'))
  const most = parts.map((part) => (part === '%Y' ? 4 : 2))
  const glued = tokens.length < 5
  const least = parts.map((part) => (part === '%Y' ? 4 : glued ? 2 : 1))
  const [year, month, day] = ['%Y', '%m', '%d'].map((part) => parts.indexOf(part)) as [number, number, number]
  const divider = glued ? [-1, -1] : [tokens[1]!.charCodeAt(0), tokens[3]!.charCodeAt(0)]
  const found = new Int32Array(3)
  return (bytes, from) => {
    let at = from
    for (let part = 0; part < 3; part++) {
      const number = readNumber(bytes, at, most[part]!)
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

function exists(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth[month - 1]!) return false
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
}
