import type { PlannedColumn } from './csv-plan.js'
import { isoDates, parseDateFormat } from './date-format.js'

/**
 * The end of a value that starts at `from`, or -1 if its bytes need a closer check. Each accepts a subset of `fits`.
 */
export type ValueEnd = (bytes: Uint8Array, from: number) => number

const [MINUS, DOT, COLON, ZERO, NINE, T, Z, SPACE] = [45, 46, 58, 48, 57, 84, 90, 32]

export const integerEnd: ValueEnd = (bytes, from) => {
  let at = bytes[from] === MINUS ? from + 1 : from
  const start = at
  let byte = bytes[at]!
  while (byte >= ZERO && byte <= NINE) byte = bytes[++at]!
  const digits = at - start
  return digits === 0 || digits > 18 || (digits > 1 && bytes[start] === ZERO) ? -1 : at
}

export const numberEnd: ValueEnd = (bytes, from) => {
  let at = bytes[from] === MINUS ? from + 1 : from
  const start = at
  let byte = bytes[at]!
  while (byte >= ZERO && byte <= NINE) byte = bytes[++at]!
  if (at === start || (at > start + 1 && bytes[start] === ZERO)) return -1
  if (byte !== DOT) return at - start > 300 ? -1 : at
  byte = bytes[++at]!
  while (byte >= ZERO && byte <= NINE) byte = bytes[++at]!
  return at - start > 300 ? -1 : at
}

/** Like `numberEnd`, but without rounding: a double gives back any 15 digits. */
export const exactNumberEnd: ValueEnd = (bytes, from) => {
  const end = numberEnd(bytes, from)
  return end - from > 15 ? -1 : end
}

/** `2014-10-08 12:30`, with optional seconds and up to six fractional digits, `T` for the space, `Z` after seconds. */
export function timestampEnd(dateEnd: ValueEnd): ValueEnd {
  return (bytes, from) => {
    let at = dateEnd(bytes, from)
    if (at !== from + 10 || (bytes[at] !== SPACE && bytes[at] !== T)) return -1
    const hour = twoDigits(bytes, at + 1)
    const minute = bytes[at + 3] === COLON ? twoDigits(bytes, at + 4) : -1
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return -1
    at += 6
    if (bytes[at] !== COLON) return at
    const second = twoDigits(bytes, at + 1)
    if (second < 0 || second > 59) return -1
    at += 3
    if (bytes[at] === DOT) {
      const start = ++at
      while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++
      if (at === start || at > start + 6) return -1
    }
    return bytes[at] === Z ? at + 1 : at
  }
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const high = bytes[at]! - ZERO
  const low = bytes[at + 1]! - ZERO
  return high >= 0 && high <= 9 && low >= 0 && low <= 9 ? high * 10 + low : -1
}

/** The one that is quick for a column; null if there is none. */
export function valueEndOf({ type, dates, asked, isRewritten, isDropped }: PlannedColumn): ValueEnd | null {
  if (isRewritten || isDropped) return null
  if (type === 'integer') return integerEnd
  if (type === 'double') return asked ? numberEnd : exactNumberEnd
  if (type === 'date') return dates.end
  if (type === 'timestamp') return timestampEnd(parseDateFormat(isoDates).end)
  return null
}
