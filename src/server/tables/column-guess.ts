import type { ColumnType } from '../../protocol/tables.js'
import { isExactDouble } from './column-types.js'
import { type DateFormat, dateTest } from './date-format.js'
import { readTimestamp, type TimeFormat, timeFormats } from './time-format.js'
import type { ValueFormats } from './value-formats.js'

type GuessedType = 'integer' | 'double' | 'boolean'

/** A value that prevents a column from having dates. */
export interface DateMisfit {
  readonly line: number
  readonly value: string
  readonly format: DateFormat
}

/** The result of trying a date format on a column. */
interface DateTrial {
  readonly format: DateFormat
  taken: number
  missed: number
  first: DateMisfit | null
}

export interface GuessFormats {
  /** The date formats to guess, the most likely first. */
  readonly dates: readonly DateFormat[]
  /** Those that are never guessed, although the values may fit them. */
  readonly otherDates: readonly DateFormat[]
  /** Whether the first format was asked for: what fits it is no number. */
  readonly isAsked: boolean
  readonly values: ValueFormats
}

/** The possible types of a column, narrowed by each of its values. */
export class ColumnGuess {
  readonly #formats: GuessFormats
  #types: GuessedType[] = ['integer', 'double', 'boolean']
  #times: TimeFormat[]
  /** Formats that fit all but a few values are kept, to report these. */
  #trials: DateTrial[]
  #firstDates: DateFormat | undefined
  #empty = true
  #unpadded = false
  /** No value can change that. */
  #isText = false
  #otherDates: readonly DateFormat[]

  /** `onlyDates`: the values are texts, even if they look like numbers. */
  constructor(formats: GuessFormats, { onlyDates = false } = {}) {
    this.#formats = formats
    if (onlyDates) this.#types = formats.values.hasBooleans ? ['boolean'] : []
    this.#otherDates = formats.otherDates
    this.#trials = formats.dates.map((format) => ({ format, taken: 0, missed: 0, first: null }))
    this.#times = formats.dates.flatMap(timeFormats)
  }

  see(value: string, line: number): void {
    if (this.#isText || value === '' || this.#formats.values.isNull(value)) return
    this.#narrowTypes(value)
    if (this.#times.length > 0) this.#times = this.#times.filter((format) => readTimestamp(value, format) !== undefined)
    if (this.#empty || this.#trials.length + this.#otherDates.length > 0) this.#narrowDates(value, line)
    this.#empty = false
    const left = this.#types.length + this.#times.length + this.#trials.length + this.#otherDates.length
    this.#isText = left === 0
  }

  /** A column without values is text. */
  get type(): ColumnType {
    if (this.#empty) return 'text'
    if (this.#formats.isAsked && this.#allDates === this.#formats.dates[0]) return 'date'
    if (this.#types[0]) return this.#types[0]
    if (this.#times.length > 0) return 'timestamp'
    return this.#allDates ? 'date' : 'text'
  }

  /** The format of its dates; if several are possible, that of the first, so that a misfit is reported at its line. */
  get dates(): DateFormat {
    return this.#allDates ?? this.#firstDates ?? this.#formats.dates[0]!
  }

  get times(): TimeFormat {
    return this.#times[0] ?? timeFormats(this.#formats.dates[0]!)[0]
  }

  get unpadded(): boolean {
    return this.#unpadded
  }

  /** Whether the format of its dates was requested. */
  get isFormatAsked(): boolean {
    return this.#formats.isAsked
  }

  /** The first of the few values that prevent this text column from being dates. */
  get dateMisfit(): DateMisfit | null {
    if (this.type !== 'text') return null
    return this.#trials.find(({ taken, missed }) => taken >= missed)?.first ?? null
  }

  /** Another format, which was not guessed, that fits every value too. */
  get otherDates(): DateFormat | undefined {
    return this.#empty ? undefined : this.#otherDates[0]
  }

  takes(value: string): boolean {
    return value !== '' && this.#formats.values.read(value, this.type, this) !== undefined
  }

  get #allDates(): DateFormat | undefined {
    return this.#trials.find(({ missed }) => missed === 0)?.format
  }

  #narrowTypes(value: string): void {
    const types = this.#types
    const [type] = types
    // Most values of most columns: no other check is needed.
    if (!this.#formats.values.hasNumbers && types.at(-1) !== 'boolean') {
      if (type === 'integer' && shortInteger.test(value)) return
      if (type === 'double' && value.length <= exactLength && shortNumber.test(value)) return
    }
    if (!types.every((type) => this.#keeps(type, value))) this.#types = types.filter((type) => this.#keeps(type, value))
  }

  #narrowDates(value: string, line: number): void {
    const fits = dateTest(value.trim())
    if (this.#empty) this.#firstDates = this.#formats.dates.find(fits)
    if (!this.#otherDates.every(fits)) this.#otherDates = this.#otherDates.filter(fits)
    if (this.#trials.length === 0) return
    for (const trial of this.#trials) note(trial, fits(trial.format), value, line)
    if (!this.#trials.every(isPromising)) this.#trials = this.#trials.filter(isPromising)
    this.#unpadded ||= /(?<!\d)\d(?!\d)/.test(value)
  }

  #keeps(type: GuessedType, value: string): boolean {
    const read = this.#formats.values.read(value, type, this)
    return read !== undefined && (type !== 'double' || isExactDouble(read))
  }
}

function note(trial: DateTrial, fits: boolean, value: string, line: number): void {
  if (fits) trial.taken++
  else {
    trial.missed++
    trial.first ??= { line, value, format: trial.format }
  }
}

function isPromising({ missed, taken }: DateTrial): boolean {
  return missed <= fewMisfits + taken / 100
}

const fewMisfits = 3
/** Integers that are exact as doubles too. */
const shortInteger = /^-?(?:0|[1-9]\d{0,14})$/
/** Numbers that are exact as doubles if they have at most `exactLength` characters. */
const shortNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/
const exactLength = 15
