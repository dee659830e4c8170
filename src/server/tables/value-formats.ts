import type { ColumnType } from '../../protocol/tables.js'
import { fits, withoutEndZeros } from './column-types.js'
import type { DateFormat } from './date-format.js'
import { readTimestamp, type TimeFormat } from './time-format.js'

/** How values are written in a file, as far as it differs from the default. */
export interface ValueOptions {
  /** Default: a point. */
  decimal?: ',' | '.'
  /** Between groups of three digits; default: none. */
  thousands?: string
  /** `12 %` is 0.12. */
  percent?: boolean
  /** Marks before or after amounts, such as `€` and `USD`. */
  currency?: string[]
  /** Words for missing values, besides the empty field. */
  nulls?: string[]
  /** Words for true and false, such as `[["yes", "no"]]`; in any case. */
  booleans?: [string, string][]
}

/** The formats of a column's dates and times. */
export interface ColumnFormats {
  readonly dates: DateFormat
  readonly times: TimeFormat
}

export interface ValueColumn extends ColumnFormats {
  readonly type: ColumnType
  /** Whether the type was requested. */
  readonly asked: boolean
}

/** Reads values that are written as `ValueOptions` say. */
export class ValueFormats {
  readonly #nulls: Set<string>
  readonly #booleans = new Map<string, string>()
  readonly #decimal: string
  readonly #thousands: string
  readonly #grouped: RegExp | null
  readonly #percent: boolean
  readonly #currency: string[]
  readonly hasNulls: boolean
  readonly hasNumbers: boolean
  readonly hasBooleans: boolean

  constructor({
    decimal = '.',
    thousands = '',
    percent = false,
    currency = [],
    nulls = [],
    booleans = [],
  }: ValueOptions) {
    this.#nulls = new Set(nulls)
    for (const [yes, no] of booleans) {
      this.#booleans.set(yes.toLowerCase(), 'true')
      this.#booleans.set(no.toLowerCase(), 'false')
    }
    this.#decimal = decimal
    this.#thousands = thousands
    this.#grouped = thousands === '' ? null : groupedBy(thousands, decimal)
    this.#percent = percent
    // The longest first: `US$` before `$`.
    this.#currency = currency.toSorted((a, b) => b.length - a.length)
    this.hasNulls = nulls.length > 0
    this.hasNumbers = decimal !== '.' || thousands !== '' || percent || currency.length > 0
    this.hasBooleans = booleans.length > 0
  }

  isNull(value: string): boolean {
    return this.hasNulls && this.#nulls.has(value.trim())
  }

  /** Whether values of this type, in these formats, are written in another form than the engine takes. */
  changes(type: ColumnType, { dates, times }: ColumnFormats): boolean {
    if (type === 'text') return false
    if (type === 'boolean') return this.hasBooleans
    if (type === 'date') return dates.isRewritten
    if (type === 'timestamp') return times.isRewritten
    return this.hasNumbers
  }

  /** The value in the form that the engine takes; undefined if it cannot be converted to the type without loss. */
  read(value: string, type: ColumnType, formats: ColumnFormats): string | undefined {
    if (type === 'text') return value
    if (type === 'date') {
      const { dates } = formats
      const date = dates.toIso(value.trim())
      return dates.isRewritten ? date : date && value
    }
    if (type === 'timestamp') return readTimestamp(value, formats.times)
    const plain = type === 'boolean' ? (this.#booleans.get(value.trim().toLowerCase()) ?? value) : this.#number(value)
    return fits(plain, type) ? plain : undefined
  }

  /** As `read`: in a column whose type was requested, numbers may have leading zeros. */
  readIn({ type, asked, ...formats }: ValueColumn, value: string): string | undefined {
    const isNumber = type === 'integer' || type === 'double' || type.startsWith('decimal')
    return this.read(asked && isNumber ? value.replace(/^( *-?)0+(?=\d)/, '$1') : value, type, formats)
  }

  #number(value: string): string {
    if (!this.hasNumbers) return value
    let text = value.replaceAll(hardSpaces, ' ').trim()
    let isPercent = false
    if (this.#percent && text.endsWith('%')) {
      isPercent = true
      text = text.slice(0, -1).trimEnd()
    }
    const sign = text.startsWith('-') ? '-' : ''
    text = this.#withoutCurrency(text.slice(sign.length).trimStart())
    // `€ -5` has its sign behind the mark.
    const inner = sign === '' && text.startsWith('-') ? '-' : ''
    text = text.slice(inner.length)
    if (this.#grouped?.test(text)) text = text.replaceAll(this.#thousands, '')
    // `1.234` is ambiguous if the decimal mark is a comma.
    else if (text.includes(this.#thousands || (this.#decimal === ',' ? '.' : ','))) return unreadable
    text = text.replace(this.#decimal, '.')
    return sign + inner + (isPercent ? hundredth(text) : text)
  }

  #withoutCurrency(text: string): string {
    for (const mark of this.#currency) {
      if (text.startsWith(mark)) return text.slice(mark.length).trimStart()
      if (text.endsWith(mark)) return text.slice(0, -mark.length).trimEnd()
    }
    return text
  }
}

/** No number in any form. */
const unreadable = '?'
const hardSpaces = /[\u00a0\u202f\u2009]/g

/** `1,234,567.8` for a comma. */
function groupedBy(mark: string, decimal: string): RegExp {
  return new RegExp(`^\\d{1,3}(?:[${mark}]\\d{3})+(?:[${decimal}]\\d*)?$`)
}

/** By its digits, so that nothing is rounded. */
function hundredth(text: string): string {
  const match = /^(\d+)(?:\.(\d*))?$/.exec(text)
  if (!match) return unreadable
  const [, whole = '', fraction = ''] = match
  const digits = whole.padStart(3, '0')
  const moved = withoutEndZeros(digits.slice(-2) + fraction)
  return digits.slice(0, -2).replace(/^0+(?=\d)/, '') + (moved === '' ? '' : `.${moved}`)
}
