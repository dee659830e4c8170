import { isUtf8 } from 'node:buffer'
import { isExactDouble } from './column-types.js'
import { maxLineBytes } from './csv-limits.js'
import type { CsvPlan, PlannedColumn } from './csv-plan.js'
import {
  badQuotes,
  CR,
  CsvRules,
  endsLine,
  isBlankLine,
  isCut,
  LF,
  lineEndLength,
  NUL,
  openQuote,
  SPACE,
  wholeCharacters,
} from './csv-rules.js'
import { type ValueEnd, valueEndOf } from './value-ends.js'
import type { ValueFormats } from './value-formats.js'

export interface LineFault {
  readonly line: number
  readonly column: string | null
  readonly reason: string
}

/** Receives each record: bytes `from` to `to`, without the line end. */
export interface ScanTarget {
  /** `odd`: there are spaces around its quotes, which the engine reads by other rules. */
  good(bytes: Buffer, from: number, to: number, odd: boolean): void
  /** The line of the fault begins at `from`. Returns whether to continue. */
  bad(fault: LineFault, bytes: Buffer, from: number): boolean
}

export const notUtf8 = 'bytes that are not UTF-8'
const nulFault = 'a NUL byte: this is not text'
const incomplete = -1
const cannotEnd = -2
const tooLong = `the line is longer than ${maxLineBytes.toLocaleString('en')} bytes; perhaps a quote is never closed`

/** Scans a CSV that arrives in chunks, by the rules of `CsvRules` and `fits`, without making strings of its bytes. */
export class CsvScanner {
  readonly #columns: PlannedColumn[]
  readonly #ends: (ValueEnd | null)[]
  readonly #slow: boolean[]
  readonly #delimiter: number
  readonly #quote: number
  readonly #quoteEscape: number
  readonly #comment: number
  /** What the rules give a meaning outside and within quotes, and NUL, which is a fault. */
  readonly #plainStops: Uint8Array
  readonly #quotedStops: Uint8Array
  readonly #target: ScanTarget
  readonly #values: ValueFormats
  readonly #empty: Int32Array
  #line: number
  #skipping = false
  #ended = false
  rows = 0
  /** Whether a valid record contains line breaks. */
  multiline = false
  /** Empty fields, by column. */
  readonly nulls: number[]

  constructor(plan: CsvPlan, target: ScanTarget) {
    this.#columns = plan.columns
    this.#ends = plan.columns.map(valueEndOf)
    this.#slow = plan.columns.map(({ type, isDropped }) => type !== 'text' || isDropped)
    this.#values = plan.values
    const { delimiter, quote, quoteEscape, comment, fieldEnds, quotedMarks } = new CsvRules(plan)
    this.#delimiter = delimiter
    this.#quote = quote
    this.#quoteEscape = quoteEscape
    this.#comment = comment
    this.#plainStops = fieldEnds
    this.#quotedStops = quotedMarks
    for (const stops of [fieldEnds, quotedMarks]) stops[NUL] = 1
    this.#target = target
    this.#line = plan.dataLine
    this.#empty = new Int32Array(plan.columns.length)
    this.nulls = plan.columns.map(() => 0)
  }

  /** After a bad record that is not to be skipped, or after the last one. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Scans the whole records within the first `end` bytes, and returns how many bytes they take; the rest begins a record that
   * is cut. The buffer needs room for one more byte: a line end is written there, so that no loop has to check for the end.
   */
  scan(bytes: Buffer, end: number, final: boolean): number {
    bytes[end] = LF
    const clean = isUtf8(bytes.subarray(0, final ? end : wholeCharacters(bytes, end)))
    let at = 0
    while (at < end && !this.#ended) {
      if (this.#skipping) {
        at = this.#skipLine(bytes, at, end, final)
        if (this.#skipping && !final) return at
        continue
      }
      if (bytes[at] === this.#comment) {
        this.#skipping = true
        continue
      }
      const next = this.#record(bytes, at, end, final, clean)
      if (next === incomplete && end - at <= maxLineBytes) return at
      if (next >= 0) {
        at = next
        continue
      }
      this.#report(null, next === cannotEnd ? openQuote : tooLong, bytes, at)
      this.#skipping = true
    }
    if (final) this.#ended = true
    return at
  }

  #record(bytes: Buffer, from: number, end: number, final: boolean, clean: boolean): number {
    const columns = this.#columns.length
    const plainStops = this.#plainStops
    const quotedStops = this.#quotedStops
    const delimiter = this.#delimiter
    const quote = this.#quote
    const quoteEscape = this.#quoteEscape
    const hasNulls = this.#values.hasNulls
    // Imported constants are read from memory each time: a twentieth of the speed.
    const [space, nul] = [SPACE, NUL]
    let at = from
    let column = 0
    let lines = 1
    let empty = 0
    let odd = false
    let fault: string | null = null
    let faultColumn = -1
    for (;;) {
      let start = at
      let stop: number
      if (bytes[at] === space) {
        let text = at
        while (bytes[text] === space) text++
        if (bytes[text] === quote) {
          at = text
          odd = true
        }
      }
      if (bytes[at] === quote) {
        start = ++at
        for (;;) {
          while (quotedStops[bytes[at]!] === 0) at++
          const byte = bytes[at]
          if (byte === quoteEscape) {
            if (at + 1 < end && (bytes[at + 1] === quote || bytes[at + 1] === quoteEscape)) at++
          } else if (byte === quote) {
            if (quoteEscape >= 0 || bytes[at + 1] !== quote) break
            at++
          } else if (at >= end) return final ? cannotEnd : incomplete
          else if (endsLine(byte, bytes[at + 1])) lines++
          else if (byte === nul) fault ??= nulFault
          at++
        }
        stop = at++
        if (bytes[at] === space) odd = true
        while (bytes[at] === space) at++
        if (plainStops[bytes[at]!] === 0) fault ??= badQuotes
        while (plainStops[bytes[at]!] === 0) at++
        if (stop > start && column < columns && this.#slow[column] && fault === null) {
          if (this.#ends[column]?.(bytes, start) !== stop && !this.#fits(bytes, start, stop, column)) {
            fault = this.#misfit(bytes, start, stop, column)
            faultColumn = column
          }
        }
      } else {
        const find = column < columns ? this.#ends[column] : null
        if (find) at = find(bytes, at)
        if (at < 0 || plainStops[bytes[at]!] === 0) {
          at = start
          while (plainStops[bytes[at]!] === 0) at++
          if (at >= end && !final) return incomplete
          if (at > start && column < columns && this.#slow[column] && fault === null) {
            if (!this.#fits(bytes, start, at, column)) {
              fault = this.#misfit(bytes, start, at, column)
              faultColumn = column
            }
          }
        }
        stop = at
      }
      while (bytes[at] === nul && at < end) {
        fault ??= nulFault
        while (bytes[at] === nul || plainStops[bytes[at]!] === 0) at++
      }
      if (column < columns && (start === stop || (hasNulls && this.#isNull(bytes, start, stop))))
        this.#empty[empty++] = column
      if (bytes[at] !== delimiter) break
      at++
      column++
    }
    if (!final && isCut(bytes[at], at, end)) return incomplete
    const next = Math.min(end, at + lineEndLength(bytes[at], bytes[at + 1]))
    if (isBlankLine(at - from, columns)) {
      this.#line++
      return next
    }
    if (column + 1 !== columns) {
      const fields = column + 1
      fault = `${fields} ${fields === 1 ? 'field' : 'fields'} instead of ${columns}`
      faultColumn = -1
    } else if (at - from > maxLineBytes) fault = tooLong
    else if (!clean && !isUtf8(bytes.subarray(from, at))) {
      fault = notUtf8
      faultColumn = -1
    }
    if (fault === null) {
      this.rows++
      if (lines > 1) this.multiline = true
      for (let each = 0; each < empty; each++) this.nulls[this.#empty[each]!]!++
      this.#target.good(bytes, from, at, odd)
    } else this.#report(this.#columns[faultColumn]?.name ?? null, fault, bytes, from)
    this.#line += lines
    return next
  }

  #skipLine(bytes: Buffer, from: number, end: number, final: boolean): number {
    let at = from
    while (bytes[at] !== LF && bytes[at] !== CR) at++
    if (at >= end) return end
    // The next chunk may begin with the LF of a CRLF.
    if (!final && isCut(bytes[at], at, end)) return at
    this.#line++
    this.#skipping = false
    return Math.min(end, at + lineEndLength(bytes[at], bytes[at + 1]))
  }

  #fits(bytes: Buffer, from: number, to: number, column: number): boolean {
    const planned = this.#columns[column]!
    const { type, asked, isDropped } = planned
    const value = this.#value(bytes, from, to)
    if (this.#values.isNull(value)) return true
    if (isDropped) return false
    const read = this.#values.readIn(planned, value)
    return read !== undefined && (asked || type !== 'double' || isExactDouble(read))
  }

  #isNull(bytes: Buffer, from: number, to: number): boolean {
    return this.#values.isNull(this.#value(bytes, from, to))
  }

  #misfit(bytes: Buffer, from: number, to: number, column: number): string {
    const { type, isDropped, ...formats } = this.#columns[column]!
    const whole = this.#value(bytes, from, to)
    const value = JSON.stringify(whole.slice(0, 60))
    if (isDropped) return `${value} stands in column ${column + 1}, which has no name`
    const read = this.#values.read(whole, type, formats)
    if (type === 'double' && read !== undefined) return `${value} would be rounded to ${Number(read)} as a double`
    const { dates } = formats
    const wanted = type === 'date' ? `a date like ${dates.pattern}` : `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`
    return `${value} is not ${wanted}`
  }

  #value(bytes: Buffer, from: number, to: number): string {
    return this.#unescape(bytes.toString('utf8', from, to))
  }

  #report(column: string | null, reason: string, bytes: Buffer, from: number): void {
    if (!this.#target.bad({ line: this.#line, column, reason }, bytes, from)) this.#ended = true
  }

  /** Without the characters that protect quotes within quotes. */
  #unescape(value: string): string {
    const quote = String.fromCharCode(this.#quote)
    if (this.#quoteEscape < 0) return this.#quote < 0 ? value : value.replaceAll(quote + quote, quote)
    const quoteEscape = String.fromCharCode(this.#quoteEscape)
    return value.replaceAll(
      new RegExp(`[${classOf(quoteEscape)}]([${classOf(quoteEscape)}${classOf(quote)}])`, 'g'),
      '$1',
    )
  }
}

/** A character within the brackets of a pattern. */
function classOf(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
