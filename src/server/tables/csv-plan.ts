import type { FileHandle } from 'node:fs/promises'
import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'
import { ColumnGuess } from './column-guess.js'
import { notesOn, valueInHeader } from './csv-notes.js'
import { type CsvRecord, type CsvShape, readRecords } from './csv-records.js'
import { recogniseShape } from './csv-shape.js'
import { type DateFormat, isoDates, monthFirstDates, otherDates, parseDateFormat } from './date-format.js'

/** Options for a file, by column name; the others are detected. */
export interface CsvOptions {
  types?: Record<string, ColumnType>
  /** The column types of the table's earlier imports. */
  earlierTypes?: Record<string, ColumnType>
  dateColumn?: string
  /** Without `dateColumn` in the file, it has no date column instead of being rejected. */
  dateColumnOptional?: boolean
  dateFormat?: string
  allText?: boolean
  header?: boolean
}

export interface PlannedColumn {
  readonly name: string
  readonly type: ColumnType
  readonly dates: DateFormat
  /** Days and months have no leading zeros, as in `10/8/2014`. */
  readonly unpadded: boolean
  /** The type was requested, so that `007` may become 7. */
  readonly asked: boolean
  /** The type comes from the sample. */
  readonly guessed: boolean
}

/** How to read a file. */
export interface CsvPlan extends CsvShape {
  readonly columns: PlannedColumn[]
  /** The offset of the first row, and its line. */
  readonly dataStart: number
  readonly dataLine: number
  /** `plain` is one line, the file's first: the only header that the engine skips correctly. */
  readonly header: 'none' | 'plain' | 'odd'
  /** Whether values contain line breaks, according to the sample. */
  readonly multiline: boolean
  /** Bytes per row, according to the sample. */
  readonly rowBytes: number
  readonly dateColumn: string | null
  /** Notes about uncertain guesses, for the user. */
  readonly notes: string[]
  /** How many records of the sample have another number of fields than the first one, or invalid quotes. */
  readonly ragged: { readonly lines: number; readonly of: number }
}

/** The maximum length of a line: a file without line ends is no table. */
export const maxLineBytes = 2_000_000
export const maxColumns = 1000
const sampleLines = 20_480
const sampleBytes = 32 * 1024 ** 2
const sampleStep = 1024 ** 2
const shapeBytes = 256 * 1024
const shownLines = 50

/**
 * Reads the start of a file and decides how to read all of it. Throws `malformed-csv` if the header or the file is
 * invalid, `invalid-request` if an option names a missing column.
 */
export async function planCsv(file: FileHandle, csvOptions: CsvOptions): Promise<CsvPlan> {
  const { bytes, complete } = await readBeginning(file)
  const { otherDelimiter, ...shape } = recogniseShape(
    bytes.subarray(0, shapeBytes),
    complete && bytes.length <= shapeBytes,
  )
  const text = bytes.subarray(shape.bom).toString()
  const records = readRecords(text, shape, { complete })
  const first = checkFirst(records.next().value ?? undefined)
  const guesses = guessColumns(first, records, dateFormats(csvOptions))
  const fitsAsRow = looksLikeRow(first, guesses.columns)
  const header = csvOptions.header ?? (!fitsAsRow || isHeadedByYears(first, guesses.columns))
  if (header && guesses.rows === 0 && complete) throw malformed(first.line, 'There is a header and no row.', noHeader)
  if (!header) for (const [at, guess] of guesses.columns.entries()) guess.see(first.fields[at]!, first.line)
  const isDoubtful = csvOptions.header === undefined && valueInHeader(first) !== undefined
  const names = header ? columnNames(first, isDoubtful ? noHeader : '') : first.fields.map((_, at) => `column${at + 1}`)
  const columns = decide(names, guesses.columns, csvOptions)
  return {
    ...shape,
    columns,
    dataStart: shape.bom + (header ? Buffer.byteLength(text.slice(0, first.end)) : 0),
    dataLine: header ? first.nextLine : 1,
    header: header ? (first.nextLine === 2 ? 'plain' : 'odd') : 'none',
    multiline: guesses.multiline,
    rowBytes: Math.max(1, (guesses.end - first.end) / Math.max(1, guesses.rows)),
    dateColumn: dateColumn(columns, csvOptions.dateColumn),
    ragged: { lines: guesses.ragged, of: guesses.rows },
    notes: notesOn({
      ...shape,
      otherDelimiter,
      first,
      fitsAsRow,
      repeatsFirst: guesses.repeatsFirst,
      header: csvOptions.header === undefined ? header : null,
      columns: columns.map(({ name, type, guessed }, at) => {
        return { name, guessed, isDate: type === 'date', guess: guesses.columns[at]! }
      }),
      datesAsked: csvOptions.dateFormat !== undefined,
      lines: text.split(/\r\n|\r|\n/, shownLines),
    }),
  }
}

/** The lines of the sample, and a little more. */
async function readBeginning(file: FileHandle): Promise<{ bytes: Buffer; complete: boolean }> {
  const { size } = await file.stat()
  const parts: Buffer[] = []
  let have = 0
  let lines = 0
  while (have < Math.min(size, sampleBytes) && lines <= sampleLines) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(sampleStep), 0, sampleStep, have)
    if (bytesRead === 0) break
    have += bytesRead
    parts.push(buffer.subarray(0, bytesRead))
    for (let at = 0; at < bytesRead; at++) if (buffer[at] === 10) lines++
  }
  return { bytes: Buffer.concat(parts), complete: have >= size }
}

function checkFirst(first: CsvRecord | undefined): CsvRecord {
  if (!first || first.end > maxLineBytes) {
    throw malformed(1, `The first line is longer than ${maxLineBytes.toLocaleString('en')} bytes.`)
  }
  if (first.fault) throw malformed(first.line, `The header cannot be read: ${first.fault}.`)
  if (first.fields.length > maxColumns) {
    throw malformed(first.line, `There are ${first.fields.length} columns; ${maxColumns} are the most.`)
  }
  // A replacement character would also shift the first row's offset.
  const broken = first.fields.some((field) => /[\0\ufffd]/.test(field))
  if (broken) throw malformed(first.line, 'The header is no UTF-8 text.', ' Save the file as UTF-8.')
  return first
}

/** ISO first by default; all dates of a column have one format. */
function dateFormats({ dateFormat }: CsvOptions): DateFormat[] {
  const iso = parseDateFormat(isoDates)
  return dateFormat === undefined ? [iso, parseDateFormat(monthFirstDates)] : [parseDateFormat(dateFormat), iso]
}

function guessColumns(first: CsvRecord, records: Iterable<CsvRecord>, formats: DateFormat[]) {
  const others = otherDates.filter((pattern) => formats.every((format) => format.pattern !== pattern))
  const otherFormats = others.map(parseDateFormat)
  const columns = first.fields.map(() => new ColumnGuess(formats, otherFormats))
  let rows = 0
  let ragged = 0
  let repeatsFirst = false
  let end = first.end
  let multiline = false
  for (const { fields, fault, line, end: next, nextLine } of records) {
    if (line > sampleLines) break
    end = next
    rows++
    multiline ||= nextLine > line + 1
    if (fault || fields.length !== columns.length) {
      ragged++
      continue
    }
    for (let at = 0; at < columns.length; at++) columns[at]!.see(fields[at]!, line)
    repeatsFirst ||= fields.some((field, at) => field !== '' && field === first.fields[at])
  }
  return { columns, rows, ragged, repeatsFirst, end, multiline }
}

/** A first line is data if every column that is not text starts with a value of its type. */
function looksLikeRow(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  if (guesses.every(({ type }) => type === 'text')) return false
  return first.fields.every((value, at) => guesses[at]!.type === 'text' || guesses[at]!.takes(value))
}

/** An exception, because tables by year have years as names. */
function isHeadedByYears(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  const values = first.fields.filter((_, at) => guesses[at]!.type !== 'text')
  return new Set(values).size === values.length && values.every((value) => /^(19|20)\d\d$/.test(value.trim()))
}

/** @param advice what to do if the line may be a row */
function columnNames(header: CsvRecord, advice: string): string[] {
  const names = header.fields.map((name) => name.trim())
  const seen = new Set<string>()
  for (const [at, name] of names.entries()) {
    if (name === '')
      throw malformed(header.line, `Column ${at + 1} has no name.`, advice || ' Give it one in the file.')
    if (name.length > 255) throw malformed(header.line, `The name of column ${at + 1} is longer than 255 characters.`)
    // The engine's names are case-insensitive.
    const key = name.toLowerCase()
    if (seen.has(key))
      throw malformed(header.line, `Two columns are called "${name}".`, advice || ' Rename one in the file.', name)
    seen.add(key)
  }
  return names
}

function decide(names: string[], guesses: ColumnGuess[], csvOptions: CsvOptions): PlannedColumn[] {
  for (const name of Object.keys(csvOptions.types ?? {})) mustHave(names, name, 'types')
  if (csvOptions.dateColumn !== undefined && !csvOptions.dateColumnOptional)
    mustHave(names, csvOptions.dateColumn, 'dateColumn')
  return names.map((name, at) => {
    const guess = guesses[at]!
    const asked = ownValue(csvOptions.types, name)
    const given = asked ?? (csvOptions.allText ? 'text' : ownValue(csvOptions.earlierTypes, name))
    const known = given ?? guess.type
    // Rows are filtered by it, so an invalid date in it must not be read as text.
    const type = name === csvOptions.dateColumn && known !== 'timestamp' ? 'date' : known
    return {
      name,
      type,
      dates: guess.dates,
      unpadded: guess.unpadded,
      asked: asked !== undefined,
      guessed: given === undefined,
    }
  })
}

function mustHave(names: string[], name: string, field: string): void {
  if (names.includes(name)) return
  throw new Problem('invalid-request', `${field}: there is no column "${name}" in the file.`, { field })
}

function dateColumn(columns: PlannedColumn[], requested: string | undefined): string | null {
  const dated = columns.filter(({ type }) => type === 'date' || type === 'timestamp')
  const found = requested === undefined ? dated[0] : dated.find(({ name }) => name === requested)
  return found?.name ?? null
}

function ownValue<Value>(record: Record<string, Value> | undefined, key: string): Value | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined
}

const noHeader = ' "--no-header" (header: false) takes the first line for a row.'

function malformed(line: number, reason: string, advice = '', column: string | null = null): Problem {
  return new Problem('malformed-csv', `Line ${line}: ${reason}${advice}`, { line, column, reason })
}
