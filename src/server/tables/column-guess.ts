import type { ColumnType } from '../../protocol/tables.js'
import { fits, isDate, isExactDouble } from './column-types.js'
import type { DateFormat } from './date-format.js'

type GuessedType = Exclude<ColumnType, `decimal(${number},${number})` | 'date' | 'text'>

/** What a column may be, narrowed by each value that is seen of it. */
export class ColumnGuess {
  readonly #formats: DateFormat[]
  #types: GuessedType[] = ['integer', 'double', 'boolean', 'timestamp']
  #dates: DateFormat[]
  #firstDates: DateFormat | undefined
  #empty = true
  #unpadded = false

  /** @param formats the date formats that may occur, the likeliest first */
  constructor(formats: DateFormat[]) {
    this.#formats = formats
    this.#dates = formats
  }

  see(value: string): void {
    if (value === '') return
    if (this.#empty) this.#firstDates = this.#formats.find((format) => isDate(value.trim(), format))
    this.#empty = false
    if (!this.#types.every((type) => this.#keeps(type, value))) {
      this.#types = this.#types.filter((type) => this.#keeps(type, value))
    }
    if (this.#dates.length === 0) return
    this.#dates = this.#dates.filter((format) => isDate(value.trim(), format))
    this.#unpadded ||= /(?<!\d)\d(?!\d)/.test(value)
  }

  /** A column of which nothing was seen is text. */
  get type(): ColumnType {
    if (this.#empty) return 'text'
    return this.#types[0] ?? (this.#dates.length > 0 ? 'date' : 'text')
  }

  /** The format of its dates; where they do not agree, that of the first, so that the misfit is found where it stands. */
  get dates(): DateFormat {
    return this.#dates[0] ?? this.#firstDates ?? this.#formats[0]!
  }

  get unpadded(): boolean {
    return this.#unpadded
  }

  takes(value: string): boolean {
    return value !== '' && fits(value, this.type, this.dates)
  }

  #keeps(type: GuessedType, value: string): boolean {
    return fits(value, type, this.dates) && (type !== 'double' || isExactDouble(value))
  }
}
