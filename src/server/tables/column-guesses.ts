import { ColumnGuess, type GuessFormats } from './column-guess.js'
import type { CsvRecord } from './csv-records.js'
import { clearDates, isoDates, monthFirstDates, otherDates, parseDateFormat } from './date-format.js'
import type { ConvertedFile } from './json-to-csv.js'
import type { ValueFormats } from './value-formats.js'

/** ISO first by default; all dates of a column have one format. */
export function guessFormats(dateFormat: string | undefined, values: ValueFormats): GuessFormats {
  const iso = parseDateFormat(isoDates)
  const guessed = [monthFirstDates, ...clearDates].map((pattern) => parseDateFormat(pattern))
  const dates = dateFormat === undefined ? [iso, ...guessed] : [parseDateFormat(dateFormat), iso]
  const others = otherDates.filter((pattern) => dates.every((format) => format.pattern !== pattern))
  return {
    dates,
    otherDates: others.map((pattern) => parseDateFormat(pattern)),
    isAsked: dateFormat !== undefined,
    values,
  }
}

export interface SampledFile {
  /** How many columns have names, and how many behind them have none. */
  readonly named: number
  readonly unnamed: number
  readonly rows: readonly CsvRecord[]
  /** Set where the file is the CSV form of another one. */
  readonly converted: Pick<ConvertedFile, 'types' | 'lineOf'> | undefined
}

/** What the values of a sample make of its columns. */
export function guessColumns({ named, unnamed, rows, converted }: SampledFile, formats: GuessFormats) {
  const guess = (formats: GuessFormats) => new ColumnGuess(formats, { onlyDates: converted !== undefined })
  const isWhole = ({ fields, fault }: CsvRecord) => fault === null && fields.length === named + unnamed
  const see = (column: ColumnGuess, at: number, { fields, line }: CsvRecord) =>
    column.see(fields[at]!, converted?.lineOf(line) ?? line)
  const columns = Array.from({ length: named }, () => guess(formats))
  let ragged = 0
  let multiline = false
  for (const row of rows) {
    multiline ||= row.nextLine > row.line + 1
    if (!isWhole(row)) ragged++
    else for (let at = 0; at < named; at++) see(columns[at]!, at, row)
  }
  return {
    columns,
    rows: rows.length,
    ragged,
    multiline,
    end: rows.at(-1)?.end ?? 0,
    repeatsFirst: (first: CsvRecord) =>
      rows.some(({ fields }) => fields.some((field, at) => field !== '' && field === first.fields[at])),
    /** The guess of one column by other formats; `first` is a row above those of the sample. */
    again(at: number, formats: GuessFormats, first: CsvRecord | undefined): ColumnGuess {
      const column = guess(formats)
      for (const row of rows) if (isWhole(row)) see(column, at, row)
      if (first) column.see(first.fields[at]!, first.line)
      return column
    },
  }
}
