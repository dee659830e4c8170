import type { ColumnType } from '../../protocol/tables.js'
import { fits, isDate, isExactDouble } from './column-types.js'
import type { DateFormat } from './date-format.js'

type GuessedType = Exclude<ColumnType, `decimal(${number},${number})` | 'date' | 'text'>

/** What keeps a column from being one of dates. */
export interface DateMisfit {
  readonly line: number
  readonly value: string
  readonly format: DateFormat
}

/** How a date format does in a column. */
interface DateTrial {
  readonly format: DateFormat
  taken: number
  missed: number
  first: DateMisfit | null
}

/** What a column may be, narrowed by each value that is seen of it. */
export class ColumnGuess {
  readonly #formats: DateFormat[]
  #types: GuessedType[] = ['integer', 'double', 'boolean', 'timestamp']
  /** Those that a few values do not have are kept, to say which. */
  #trials: DateTrial[]
  #firstDates: DateFormat | undefined
  #empty = true
  #unpadded = false

  /** @param formats the date formats that may occur, the likeliest first */
  constructor(formats: DateFormat[]) {
    this.#formats = formats
    this.#trials = formats.map((format) => ({ format, taken: 0, missed: 0, first: null }))
  }

  see(value: string, line: number): void {
    if (value === '') return
    if (this.#empty) this.#firstDates = this.#formats.find((format) => isDate(value.trim(), format))
    this.#empty = false
    if (!this.#types.every((type) => this.#keeps(type, value))) {
      this.#types = this.#types.filter((type) => this.#keeps(type, value))
    }
    if (this.#trials.length === 0) return
    this.#trials = this.#trials.filter((trial) => isPromising(trial, value, line))
    this.#unpadded ||= /(?<!\d)\d(?!\d)/.test(value)
  }

  /** A column of which nothing was seen is text. */
  get type(): ColumnType {
    if (this.#empty) return 'text'
    return this.#types[0] ?? (this.#allDates ? 'date' : 'text')
  }

  /** The format of its dates; where they do not agree, that of the first, so that the misfit is found where it stands. */
  get dates(): DateFormat {
    return this.#allDates ?? this.#firstDates ?? this.#formats[0]!
  }

  get unpadded(): boolean {
    return this.#unpadded
  }

  /** The first of the few values without which this text would be a column of dates. */
  get dateMisfit(): DateMisfit | null {
    if (this.type !== 'text') return null
    return this.#trials.find(({ taken, missed }) => taken >= missed)?.first ?? null
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
