import type { ColumnType } from '../../protocol/tables.js'
import { type AdvisedOptions, wordsOf } from './advised-options.js'
import type { ColumnGuess } from './column-guess.js'
import type { CsvRecord } from './csv-records.js'
import type { Note } from './notes.js'
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
export function notesOn(guesses: Guesses): Note[] {
  const notes = [
    noteOnDelimiter(guesses),
    noteOnQuotes(guesses),
    noteOnMarkup(guesses),
    noteOnHeader(guesses),
    noteOnNames(guesses),
    guesses.isEmpty ? { text: 'The file has a header and no row: the table has no rows of it.' } : undefined,
    ...noteEach(guesses.columns, noteOnDateOrder),
    ...noteEach(guesses.columns, (column) => noteOnText(column, guesses)),
    ...noteEach(guesses.columns, noteOnNumber),
    ...noteEach(guesses.columns, noteOnTimes),
  ]
  return notes.filter((note) => note !== undefined)
}

function noteOnDelimiter(guesses: Guesses): Note | undefined {
  const { delimiter, otherDelimiter, columns, lines, quote, shapeAdvice } = guesses
  if (otherDelimiter !== null) {
    const text = `Fields were separated at each ${names[delimiter]}; each ${names[otherDelimiter]} would fit as well.`
    return { text, fix: { delimiter: otherDelimiter } }
  }
  if (columns.length > 1 || !columns[0]!.guessed || columns[0]!.guess.type !== 'text') return undefined
  if (shapeAdvice !== undefined) {
    return { text: `All was read as one column: ${wordsOf(shapeAdvice)} would read the file.` }
  }
  const plain = lines.filter((line) => line.trim() !== '' && !line.trimStart().startsWith(quote))
  const separates = (mark: string) =>
    plain[0]?.includes(mark) || plain.filter((line) => line.includes(mark)).length > plain.length / 2
  const mark = separators.find(separates)
  if (mark === undefined) return undefined
  const what = `there are ${names[mark] ?? `"${mark}"`}s and none of comma, semicolon, tab or bar`
  const option = `"--delimiter ${optionNames[mark] ?? mark}" (delimiter)`
  const text = `All was read as one column: ${what}. If they separate columns, ${option} reads them so.`
  return /^[\t -~]$/.test(mark) ? { text, fix: { delimiter: mark } } : { text }
}

function noteOnQuotes({ quote, quoteAsked }: Guesses): Note | undefined {
  if (quote !== "'" || quoteAsked) return undefined
  return { text: 'Single quotes were taken for quotes around values, and left out.' }
}

function noteOnMarkup({ lines }: Guesses): Note | undefined {
  const start = lines.find((line) => line.trim() !== '')?.trimStart() ?? ''
  if (/^<[a-z!?/]/i.test(start)) return { text: 'The file looks like HTML or XML: check that it is a CSV.' }
  const isJson = /^(?:\{\s*["}]|\[\s*[[{])/.test(start)
  return isJson ? { text: 'The file looks like JSON: check that it is a CSV.' } : undefined
}

/** A note about a first line that could be a row or names. */
function noteOnHeader({ header, fitsAsRow, repeatsFirst, first }: Guesses): Note | undefined {
  if (header === null) return undefined
  const asRow = (but: string): Note => ({
    text: `The first line was taken for the header, but ${but}: "--no-header" (header: false) takes it for one.`,
    fix: { header: false },
  })
  if (!header) {
    const text =
      'The first line was taken for a row, as it fits the others: "--header" (header: true) takes it for names.'
    return fitsAsRow ? { text, fix: { header: true } } : undefined
  }
  if (fitsAsRow) return asRow('fits as a row too')
  const doubtful = valueInHeader(first)
  if (doubtful !== undefined) return asRow(`${quoted(doubtful)} looks like a value of a row`)
  return repeatsFirst ? asRow('holds a value that rows have, too') : undefined
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

function noteOnNames({ renamed }: Guesses): Note | undefined {
  if (renamed.length === 0) return undefined
  const more = renamed.length - mostOfAKind
  const shown = renamed.slice(0, mostOfAKind).join(', ')
  return { text: `Columns were given names: ${shown}${more > 0 ? `, and ${more} more` : ''}.` }
}

function noteOnDateOrder({ name, type, guess }: GuessedColumn): Note | undefined {
  const other = guess.otherDates
  if (guess.isFormatAsked || type !== 'date' || !other) return undefined
  const read = `dates were read like ${guess.dates.pattern}, but all fit ${other.pattern} as well`
  return noteOnDates(name, `: ${read}`, other.pattern)
}

/** A note about a text column whose values are all dates in another format, or nearly all dates in a known one. */
function noteOnText({ name, type, guessed, guess, values }: GuessedColumn, { isConverted }: Guesses): Note | undefined {
  if (!guessed || type !== 'text') return undefined
  if (guess.otherDates) {
    const { pattern } = guess.otherDates
    return noteOnDates(name, ` was taken for text, but all fit dates like ${pattern}`, pattern)
  }
  const advice = isConverted ? undefined : adviceOnValues(values())
  if (advice) {
    const other = advice.others ? `, or "${advice.others}", if these are decimals` : ''
    const all = `all are ${advice.as}: "${advice.options}" reads them so${other}`
    return { text: `Column "${name}" was taken for text, but ${all}.`, fix: advice.set }
  }
  const zeroLed = isConverted ? undefined : firstZeroLed(values())
  if (zeroLed !== undefined) {
    const why = ` was taken for text, because of zeros such as in ${quoted(zeroLed)}`
    return noteOnType(name, why, 'integer', 'reads numbers')
  }
  if (!guess.dateMisfit) return undefined
  const { line, value, format } = guess.dateMisfit
  const what = `line ${line} has ${quoted(value)}, which is no date like ${format.pattern}`
  return { text: `Column "${name}" was taken for text: ${what}.` }
}

/** A note about codes and dates that look like numbers. */
function noteOnNumber({ name, type, guessed, guess, values }: GuessedColumn): Note | undefined {
  if (!guessed) return undefined
  if (type === 'integer' && guess.otherDates?.pattern === compactDates && areRecent(values())) {
    return noteOnDates(name, ` was taken for numbers, but all fit dates like ${compactDates}`, compactDates)
  }
  if (type !== 'double') return undefined
  const code = values().find((value) => /^\d+[eE]\d+$/.test(value))
  if (code === undefined) return undefined
  return noteOnType(name, `: ${quoted(code)} was read as the number ${Number(code)}`, 'text', 'keeps it as it is')
}

function noteOnType(name: string, what: string, type: ColumnType, does: string): Note {
  return {
    text: `Column "${name}"${what}: "--types ${name}=${type}" (types) ${does}.`,
    fix: { types: { [name]: type } },
  }
}

function noteOnDates(name: string, what: string, pattern: string): Note {
  const format = optionOf(pattern)
  const text = `Column "${name}"${what}: "--date-format ${format}" (dateFormat) reads them so.`
  return { text, fix: { dateFormats: { [name]: format } } }
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

function noteOnTimes({ name, type, guessed, guess }: GuessedColumn): Note | undefined {
  if (!guessed || type !== 'timestamp' || !guess.times.offsets) return undefined
  return noteOnType(name, ': times were converted to UTC by their offsets', 'text', 'keeps them as they are')
}

/** The first notes, and the number of further columns with the same note. */
function noteEach(columns: GuessedColumn[], note: (column: GuessedColumn) => Note | undefined): Note[] {
  const notes = columns.flatMap((column) => note(column) ?? [])
  const more = notes.length - mostOfAKind
  if (more <= 0) return notes
  const others = { text: `The same is true of ${more} more ${more === 1 ? 'column' : 'columns'}.` }
  return [...notes.slice(0, mostOfAKind), others]
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
