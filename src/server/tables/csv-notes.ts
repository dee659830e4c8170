import type { ColumnType } from '../../protocol/tables.js'
import { type AdvisedOptions, wordsOf } from './advised-options.js'
import type { ColumnGuess } from './column-guess.js'
import type { CsvRecord } from './csv-records.js'
import { adviceOnValues } from './value-advice.js'

/** A column and its properties in the sample. */
export interface GuessedColumn {
  readonly name: string
  readonly type: ColumnType
  /** The type comes from the sample. */
  readonly guessed: boolean
  readonly guess: ColumnGuess
  /** Its values in the sample. */
  values(): readonly string[]
}

/** Decisions about a file that the request did not make. */
export interface Guesses {
  readonly first: CsvRecord
  /** `null` if the request decided about the header. */
  readonly header: boolean | null
  /** The first record fits the types of the columns. */
  readonly fitsAsRow: boolean
  /** A value of the first record occurs again below it. */
  readonly repeatsFirst: boolean
  /** There is a header and no row. */
  readonly isEmpty: boolean
  /** Which columns got other names than in the file, in words. */
  readonly renamed: readonly string[]
  readonly columns: GuessedColumn[]
  /** The request set a date format. */
  readonly datesAsked: boolean
  readonly quote: string
  /** The request set the quote. */
  readonly quoteAsked: boolean
  readonly delimiter: string
  readonly otherDelimiter: string | null
  /** The option that would read several columns where there is one. */
  readonly shapeAdvice: AdvisedOptions | undefined
  /** The file's first lines; none where it is the CSV form of another one. */
  readonly lines: string[]
  readonly isConverted: boolean
}

/** Notes about uncertain guesses, one each; none if nothing was guessed. */
export function notesOn(guesses: Guesses): string[] {
  const notes = [
    noteOnDelimiter(guesses),
    noteOnQuotes(guesses),
    noteOnMarkup(guesses),
    noteOnHeader(guesses),
    noteOnNames(guesses),
    guesses.isEmpty ? 'The file has a header and no row: the table has no rows of it.' : undefined,
    ...noteEach(guesses.columns, (column) => noteOnDateOrder(column, guesses.datesAsked)),
    ...noteEach(guesses.columns, (column) => noteOnText(column, guesses)),
    ...noteEach(guesses.columns, noteOnNumber),
    ...noteEach(guesses.columns, noteOnTimes),
  ]
  return notes.filter((note) => note !== undefined)
}

function noteOnDelimiter(guesses: Guesses): string | undefined {
  const { delimiter, otherDelimiter, columns, lines, quote, shapeAdvice } = guesses
  if (otherDelimiter !== null) {
    return `Fields were separated at each ${names[delimiter]}; each ${names[otherDelimiter]} would fit as well.`
  }
  if (columns.length > 1 || !columns[0]!.guessed || columns[0]!.guess.type !== 'text') return undefined
  if (shapeAdvice !== undefined) return `All was read as one column: ${wordsOf(shapeAdvice)} would read the file.`
  const plain = lines.filter((line) => line.trim() !== '' && !line.trimStart().startsWith(quote))
  const separates = (mark: string) =>
    plain[0]?.includes(mark) || plain.filter((line) => line.includes(mark)).length > plain.length / 2
  const mark = separators.find(separates)
  if (mark === undefined) return undefined
  const what = `there are ${names[mark] ?? `"${mark}"`}s and none of comma, semicolon, tab or bar`
  const option = `"--delimiter ${optionNames[mark] ?? mark}" (delimiter)`
  return `All was read as one column: ${what}. If they separate columns, ${option} reads them so.`
}

function noteOnQuotes({ quote, quoteAsked }: Guesses): string | undefined {
  return quote === "'" && !quoteAsked ? 'Single quotes were taken for quotes around values, and left out.' : undefined
}

function noteOnMarkup({ lines }: Guesses): string | undefined {
  const start = lines.find((line) => line.trim() !== '')?.trimStart() ?? ''
  if (/^<[a-z!?/]/i.test(start)) return 'The file looks like HTML or XML: check that it is a CSV.'
  return /^(?:\{\s*["}]|\[\s*[[{])/.test(start) ? 'The file looks like JSON: check that it is a CSV.' : undefined
}

/** A note about a first line that could be a row or names. */
function noteOnHeader({ header, fitsAsRow, repeatsFirst, first }: Guesses): string | undefined {
  if (header === null) return undefined
  const asRow = '"--no-header" (header: false) takes it for one.'
  if (!header) {
    return fitsAsRow
      ? 'The first line was taken for a row, as it fits the others: "--header" (header: true) takes it for names.'
      : undefined
  }
  if (fitsAsRow) return `The first line was taken for the header, but fits as a row too: ${asRow}`
  const doubtful = valueInHeader(first)
  if (doubtful !== undefined) {
    return `The first line was taken for the header, but ${quoted(doubtful)} looks like a value of a row: ${asRow}`
  }
  return repeatsFirst
    ? `The first line was taken for the header, but holds a value that rows have, too: ${asRow}`
    : undefined
}

/** Values in a first line that are unlikely to be names: a single year is a name, unless there are no others. */
export function valueInHeader({ fields }: CsvRecord): string | undefined {
  const values = fields.filter(isLikeValue)
  return values.find((value) => !isYear(value)) ?? (values.length === fields.length ? values[0] : undefined)
}

/** The line below an empty one that looks more like a header than the first line. */
export function lowerHeader(records: readonly CsvRecord[]): number | undefined {
  const found = records.slice(1, linesAboveHeader).find((record, at) => {
    const names = record.fields.slice(0, record.fields.findLastIndex((field) => field !== '') + 1)
    const isNamed = names.length > 1 && !names.includes('') && new Set(names).size === names.length
    return record.line > records[at]!.nextLine && isNamed && valueInHeader(record) === undefined
  })
  return found?.line
}

function noteOnNames({ renamed }: Guesses): string | undefined {
  if (renamed.length === 0) return undefined
  const more = renamed.length - mostOfAKind
  const shown = renamed.slice(0, mostOfAKind).join(', ')
  return `Columns were given names: ${shown}${more > 0 ? `, and ${more} more` : ''}.`
}

function noteOnDateOrder({ name, type, guess }: GuessedColumn, datesAsked: boolean): string | undefined {
  const other = guess.otherDates
  if (datesAsked || type !== 'date' || !other) return undefined
  const option = `"--date-format ${optionOf(other.pattern)}" (dateFormat)`
  return `Column "${name}": dates were read like ${guess.dates.pattern}, but all fit ${other.pattern} as well: ${option} reads them so.`
}

/** A note about a text column whose values are all dates in another format, or nearly all dates in a known one. */
function noteOnText(
  { name, type, guessed, guess, values }: GuessedColumn,
  { isConverted }: Guesses,
): string | undefined {
  if (!guessed || type !== 'text') return undefined
  if (guess.otherDates) {
    const { pattern } = guess.otherDates
    const option = `"--date-format ${optionOf(pattern)}" (dateFormat)`
    return `Column "${name}" was taken for text, but all fit dates like ${pattern}: ${option} reads them so.`
  }
  const advice = isConverted ? undefined : adviceOnValues(values())
  if (advice) {
    const other = advice.others ? `, or "${advice.others}", if these are decimals` : ''
    return `Column "${name}" was taken for text, but all are ${advice.as}: "${advice.options}" reads them so${other}.`
  }
  const zeroLed = isConverted ? undefined : firstZeroLed(values())
  if (zeroLed !== undefined) {
    const option = `"--types ${name}=integer" (types)`
    return `Column "${name}" was taken for text, because of zeros such as in ${quoted(zeroLed)}: ${option} reads numbers.`
  }
  if (!guess.dateMisfit) return undefined
  const { line, value, format } = guess.dateMisfit
  const what = `line ${line} has ${quoted(value)}, which is no date like ${format.pattern}`
  return `Column "${name}" was taken for text: ${what}.`
}

/** A note about codes and dates that look like numbers. */
function noteOnNumber({ name, type, guessed, guess, values }: GuessedColumn): string | undefined {
  if (!guessed) return undefined
  if (type === 'integer' && guess.otherDates?.pattern === compactDates && areRecent(values())) {
    const option = `"--date-format ${compactDates}" (dateFormat)`
    return `Column "${name}" was taken for numbers, but all fit dates like ${compactDates}: ${option} reads them so.`
  }
  if (type !== 'double') return undefined
  const code = values().find((value) => /^\d+[eE]\d+$/.test(value))
  if (code === undefined) return undefined
  const option = `"--types ${name}=text" (types)`
  return `Column "${name}": ${quoted(code)} was read as the number ${Number(code)}: ${option} keeps it as it is.`
}

function areRecent(values: Iterable<string>): boolean {
  for (const value of values) if (value !== '' && !/^(?:19|20)/.test(value.trim())) return false
  return true
}

/** The first number with a leading zero, if all are digits. */
function firstZeroLed(values: Iterable<string>): string | undefined {
  let first: string | undefined
  for (const value of values) {
    if (!/^\d*$/.test(value)) return undefined
    if (first === undefined && /^0\d/.test(value)) first = value
  }
  return first
}

const compactDates = '%Y%m%d'

function noteOnTimes({ name, type, guessed, guess }: GuessedColumn): string | undefined {
  if (!guessed || type !== 'timestamp' || !guess.times.offsets) return undefined
  const option = `"--types ${name}=text" (types)`
  return `Column "${name}": times were converted to UTC by their offsets: ${option} keeps them as they are.`
}

/** The first notes, and the number of further columns with the same note. */
function noteEach(columns: GuessedColumn[], note: (column: GuessedColumn) => string | undefined): string[] {
  const notes = columns.flatMap((column) => note(column) ?? [])
  const more = notes.length - mostOfAKind
  if (more <= 0) return notes
  return [...notes.slice(0, mostOfAKind), `The same is true of ${more} more ${more === 1 ? 'column' : 'columns'}.`]
}

const mostOfAKind = 8
const linesAboveHeader = 30

/** Numbers, dates, times and common markers for missing values: unlikely as names of columns. */
function isLikeValue(field: string): boolean {
  return /^(?:[-+]?[$€£]?\d[\d.,' ]*(?:[eE][-+]?\d+)?%?|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[ T].*)?|\d{1,2}:\d\d.*|true|false|nan|null|n\/a|none)$/i.test(
    field.trim(),
  )
}

function isYear(text: string): boolean {
  return /^(?:19|20)\d\d$/.test(text.trim())
}

function optionOf(pattern: string): string {
  return pattern === '%d/%m/%Y' ? 'day-first' : pattern
}

function quoted(value: string): string {
  return JSON.stringify(value.slice(0, 60))
}

const names: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar', ' ': 'space' }
const optionNames: Record<string, string> = { '\t': 'tab' }
const separators = [',', ';', '\t', '|', ':', '^', '~', '#', '\u001f', '\u0001']
