import type { FileHandle } from 'node:fs/promises'
import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'
import { ColumnGuess } from './column-guess.js'
import { noteOnDates, noteOnHeader } from './csv-notes.js'
import { type CsvRecord, type CsvShape, readRecords } from './csv-records.js'
import { recogniseShape } from './csv-shape.js'
import { type DateFormat, isoDates, monthFirstDates, parseDateFormat } from './date-format.js'

/** What people may say about a file, by column name; what they leave out is recognised. */
export interface CsvWishes {
  types?: Record<string, ColumnType>
  /** The types that the table's earlier imports gave to its columns. */
  earlierTypes?: Record<string, ColumnType>
  dateColumn?: string
  /** A file without `dateColumn` has no date column then, instead of being refused. */
  dateColumnOptional?: boolean
  dateFormat?: string
  allText?: boolean
  header?: boolean
}

export interface PlannedColumn {
  readonly name: string
  readonly type: ColumnType
  readonly dates: DateFormat
  /** Days and months stand without leading zeros, as in `10/8/2014`. */
  readonly unpadded: boolean
  /** The type was asked for, so that `007` may become 7. */
  readonly asked: boolean
  /** The type comes from the sample. */
  readonly guessed: boolean
}

/** How a file is to be read. */
export interface CsvPlan extends CsvShape {
  readonly columns: PlannedColumn[]
  /** The byte at which the first row begins, and its line. */
  readonly dataStart: number
  readonly dataLine: number
  /** `plain` is one line, the file's first: the only header that the engine skips as it should. */
  readonly header: 'none' | 'plain' | 'odd'
  /** Whether values go over several lines, as far as the sample says. */
  readonly multiline: boolean
  /** Bytes in a row, as far as the sample says. */
  readonly rowBytes: number
  readonly dateColumn: string | null
  /** What was guessed and may be wrong, in words for whoever asked for the import. */
  readonly notes: string[]
}

/** No line may be longer: a file without line ends is no table. */
export const maxLineBytes = 2_000_000
export const maxColumns = 1000
const sampleLines = 20_480
const sampleBytes = 32 * 1024 ** 2
const sampleStep = 1024 ** 2
const shapeBytes = 256 * 1024
const mostNotes = 10

/**
 * Reads a file's beginning and decides how the whole of it is to be read. Throws `malformed-csv` where the header or the
 * file is none, `invalid-request` where a wish names a column that is not there.
 */
export async function planCsv(file: FileHandle, wishes: CsvWishes): Promise<CsvPlan> {
  const { bytes, complete } = await readBeginning(file)
  const shape = recogniseShape(bytes.subarray(0, shapeBytes), complete && bytes.length <= shapeBytes)
  const text = bytes.subarray(shape.bom).toString()
  const records = readRecords(text, shape, { complete })
  const first = checkFirst(records.next().value ?? undefined)
  const guesses = guessColumns(first, records, dateFormats(wishes))
  const fitsAsRow = looksLikeRow(first, guesses.columns)
  const header = wishes.header ?? (!fitsAsRow || isHeadedByYears(first, guesses.columns))
  if (header && guesses.rows === 0 && complete) throw malformed(first.line, 'There is a header and no row.', noHeader)
  if (!header) for (const [at, guess] of guesses.columns.entries()) guess.see(first.fields[at]!, first.line)
  const names = header ? columnNames(first) : first.fields.map((_, at) => `column${at + 1}`)
  const columns = decide(names, guesses.columns, wishes)
  return {
    ...shape,
    columns,
    dataStart: shape.bom + (header ? Buffer.byteLength(text.slice(0, first.end)) : 0),
    dataLine: header ? first.nextLine : 1,
    header: header ? (first.nextLine === 2 ? 'plain' : 'odd') : 'none',
    multiline: guesses.multiline,
    rowBytes: Math.max(1, (guesses.end - first.end) / Math.max(1, guesses.rows)),
    dateColumn: dateColumn(columns, wishes.dateColumn),
    notes: notes(columns, guesses.columns, wishes.header === undefined && fitsAsRow ? noteOnHeader(header) : undefined),
  }
}

/** As many lines as the sample takes, and a little more. */
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
  // A replaced byte would also put the first row's offset wrong.
  const broken = first.fields.some((field) => /[\0\ufffd]/.test(field))
  if (broken) throw malformed(first.line, 'The header is no UTF-8 text.')
  return first
}

/** ISO comes first where nothing was said; a column's dates are all of one format. */
function dateFormats({ dateFormat }: CsvWishes): DateFormat[] {
  const iso = parseDateFormat(isoDates)
  return dateFormat === undefined ? [iso, parseDateFormat(monthFirstDates)] : [parseDateFormat(dateFormat), iso]
}

function guessColumns(first: CsvRecord, records: Iterable<CsvRecord>, formats: DateFormat[]) {
  const columns = first.fields.map(() => new ColumnGuess(formats))
  let rows = 0
  let end = first.end
  let multiline = false
  for (const { fields, fault, line, end: next, nextLine } of records) {
    if (line > sampleLines) break
    end = next
    rows++
    multiline ||= nextLine > line + 1
    if (fault || fields.length !== columns.length) continue
    for (let at = 0; at < columns.length; at++) columns[at]!.see(fields[at]!, line)
  }
  return { columns, rows, end, multiline }
}

/** A first line is data where each column that holds something else than text begins with a value of its own kind. */
function looksLikeRow(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  if (guesses.every(({ type }) => type === 'text')) return false
  return first.fields.every((value, at) => guesses[at]!.type === 'text' || guesses[at]!.takes(value))
}

/** An exception, because tables by year are headed by them. */
function isHeadedByYears(first: CsvRecord, guesses: ColumnGuess[]): boolean {
  const values = first.fields.filter((_, at) => guesses[at]!.type !== 'text')
  return new Set(values).size === values.length && values.every((value) => /^(19|20)\d\d$/.test(value.trim()))
}

function columnNames(header: CsvRecord): string[] {
  const names = header.fields.map((name) => name.trim())
  const seen = new Set<string>()
  for (const [at, name] of names.entries()) {
    if (name === '') throw malformed(header.line, `Column ${at + 1} has no name.`, noHeader)
    if (name.length > 255) throw malformed(header.line, `The name of column ${at + 1} is longer than 255 characters.`)
    // The engine's names compare regardless of case.
    const key = name.toLowerCase()
    if (seen.has(key)) throw malformed(header.line, `Two columns are called "${name}".`, noHeader, name)
    seen.add(key)
  }
  return names
}

function decide(names: string[], guesses: ColumnGuess[], wishes: CsvWishes): PlannedColumn[] {
  for (const name of Object.keys(wishes.types ?? {})) mustHave(names, name, 'types')
  if (wishes.dateColumn !== undefined && !wishes.dateColumnOptional) mustHave(names, wishes.dateColumn, 'dateColumn')
  return names.map((name, at) => {
    const guess = guesses[at]!
    const asked = ownValue(wishes.types, name)
    const told = asked ?? (wishes.allText ? 'text' : ownValue(wishes.earlierTypes, name))
    const known = told ?? guess.type
    // Rows are asked for by it, so a value in it that is no date must not pass as text.
    const type = name === wishes.dateColumn && known !== 'timestamp' ? 'date' : known
    return {
      name,
      type,
      dates: guess.dates,
      unpadded: guess.unpadded,
      asked: asked !== undefined,
      guessed: told === undefined,
    }
  })
}

function notes(columns: PlannedColumn[], guesses: ColumnGuess[], onHeader: string | undefined): string[] {
  const onDates = columns.map(({ name, guessed }, at) => (guessed ? noteOnDates(name, guesses[at]!) : undefined))
  return [onHeader, ...onDates].filter((note) => note !== undefined).slice(0, mostNotes)
}

function mustHave(names: string[], name: string, field: string): void {
  if (names.includes(name)) return
  throw new Problem('invalid-request', `${field}: there is no column "${name}" in the file.`, { field })
}

function dateColumn(columns: PlannedColumn[], wished: string | undefined): string | null {
  const dated = columns.filter(({ type }) => type === 'date' || type === 'timestamp')
  const found = wished === undefined ? dated[0] : dated.find(({ name }) => name === wished)
  return found?.name ?? null
}

function ownValue<Value>(record: Record<string, Value> | undefined, key: string): Value | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined
}

const noHeader = ' "--no-header" (header: false) takes the first line for a row.'

function malformed(line: number, reason: string, advice = '', column: string | null = null): Problem {
  return new Problem('malformed-csv', `Line ${line}: ${reason}${advice}`, { line, column, reason })
}
