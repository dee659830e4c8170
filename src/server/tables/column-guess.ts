import type { ColumnType } from '../../protocol/tables.js'
import { fits, isDate, isExactDouble } from './column-types.js'
import type { DateFormat } from './date-format.js'

type GuessedType = Exclude<ColumnType, `decimal(${number},${number})` | 'date' | 'text'>

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

/** The possible types of a column, narrowed by each of its values. */
export class ColumnGuess {
  readonly #formats: DateFormat[]
  #types: GuessedType[] = ['integer', 'double', 'boolean', 'timestamp']
  /** Formats that fit all but a few values are kept, to report these. */
  #trials: DateTrial[]
  #firstDates: DateFormat | undefined
  #empty = true
  #unpadded = false
  #otherDates: DateFormat[]

  /**
   * @param formats the date formats to guess, the most likely first @param otherFormats those that are never guessed,
   * although the values may fit them
   */
  constructor(formats: DateFormat[], otherFormats: DateFormat[] = []) {
    this.#formats = formats
    this.#otherDates = otherFormats
    this.#trials = formats.map((format) => ({ format, taken: 0, missed: 0, first: null }))
  }

  see(value: string, line: number): void {
    if (value === '') return
    if (this.#empty) this.#firstDates = this.#formats.find((format) => isDate(value.trim(), format))
    this.#empty = false
    this.#otherDates = this.#otherDates.filter((format) => isDate(value.trim(), format))
    if (!this.#types.every((type) => this.#keeps(type, value))) {
      this.#types = this.#types.filter((type) => this.#keeps(type, value))
    }
    if (this.#trials.length === 0) return
    this.#trials = this.#trials.filter((trial) => isPromising(trial, value, line))
    this.#unpadded ||= /(?<!\d)\d(?!\d)/.test(value)
  }

  /** A column without values is text. */
  get type(): ColumnType {
    if (this.#empty) return 'text'
    return this.#types[0] ?? (this.#allDates ? 'date' : 'text')
  }

  /** The format of its dates; if several are possible, that of the first, so that a misfit is reported at its line. */
  get dates(): DateFormat {
    return this.#allDates ?? this.#firstDates ?? this.#formats[0]!
  }

  get unpadded(): boolean {
    return this.#unpadded
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
    return value !== '' && fits(value, this.type, this.dates)
  }

  get #allDates(): DateFormat | undefined {
    return this.#trials.find(({ missed }) => missed === 0)?.format
  }

  #keeps(type: GuessedType, value: string): boolean {
    return fits(value, type, this.dates) && (type !== 'double' || isExactDouble(value))
  }
}

function isPromising(trial: DateTrial, value: string, line: number): boolean {
  if (isDate(value.trim(), trial.format)) trial.taken++
  else {
    trial.missed++
    trial.first ??= { line, value, format: trial.format }
  }
  return trial.missed <= fewMisfits + trial.taken / 100
}

const fewMisfits = 3
