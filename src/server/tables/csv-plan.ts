import type { FileHandle } from 'node:fs/promises'
import { Problem } from '../../protocol/problems.js'
import type { ColumnType } from '../../protocol/tables.js'
import type { ColumnGuess, GuessFormats } from './column-guess.js'
import { guessColumns, guessFormats } from './column-guesses.js'
import { checkedNames, joinedNames, trailingColumns } from './csv-header.js'
import { maxColumns, maxLineBytes, sampleLines } from './csv-limits.js'
import { lowerHeader, notesOn, valueInHeader } from './csv-notes.js'
import { type CsvRecord, type CsvShape, readRecords } from './csv-records.js'
import { LF } from './csv-rules.js'
import { recogniseShape, type ShapeOptions } from './csv-shape.js'
import { isHeadedByYears, looksLikeRow, namingOf } from './header-guess.js'
import type { ConvertedFile } from './json-to-csv.js'
import { malformedAt } from './malformed.js'
import type { Note } from './notes.js'
import { adviseShape } from './shape-advice.js'
import { notesOnStanding } from './standing-types.js'
import { timeFormats } from './time-format.js'
import { type ColumnFormats, ValueFormats, type ValueOptions } from './value-formats.js'

/** Options for a file; what is left out is detected. */
export interface CsvOptions extends ShapeOptions, ValueOptions {
  /** How many lines the header has, whose names are joined; default: one. */
  headerLines?: number
  /** Gives columns without a name, and those whose name is taken, names. */
  renameColumns?: boolean
  types?: Record<string, ColumnType>
  /** The column types of the table's earlier imports. */
  earlierTypes?: Record<string, ColumnType>
  dateColumn?: string
  /** Without `dateColumn` in the file, it has no date column instead of being rejected. */
  dateColumnOptional?: boolean
  dateFormat?: string
  /** The date formats of single columns, which have dates or times then. */
  dateFormats?: Record<string, string>
  allText?: boolean
  header?: boolean
  /** The label of the text's encoding; without it, it is recognised, or UTF-8. */
  encoding?: string
  /** Set where the file is the CSV form of another one. */
  converted?: Pick<ConvertedFile, 'types' | 'lineOf'> | undefined
}

export interface PlannedColumn extends ColumnFormats {
  /** Empty for a dropped column. */
  readonly name: string
  readonly type: ColumnType
  /** Days and months have no leading zeros, as in `10/8/2014`. */
  readonly unpadded: boolean
  /** The type was requested, so that `007` may become 7. */
  readonly asked: boolean
  /** The type comes from the sample. */
  readonly guessed: boolean
  /** The engine is given another form of its values. */
  readonly isRewritten: boolean
  /** It has neither a name nor values, as behind a delimiter at the end of each line, and is left out. */
  readonly isDropped: boolean
}

/** How to read a file. */
export interface CsvPlan extends CsvShape {
  readonly columns: PlannedColumn[]
  readonly values: ValueFormats
  /** Each record is written anew for the engine. */
  readonly isRewritten: boolean
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
  readonly hasHeader: boolean
  /** The first rows as they are written, also bad ones. */
  readonly firstRows: readonly { readonly line: number; readonly values: readonly string[] }[]
  /** Notes about uncertain guesses, for the user. */
  readonly notes: Note[]
  /** How many records of the sample have another number of fields than the first one, or invalid quotes. */
  readonly ragged: { readonly lines: number; readonly of: number }
}

export const headerNotUtf8 = 'The header is no UTF-8 text.'
const sampleBytes = 32 * 1024 ** 2
const sampleStep = 1024 ** 2
const shapeBytes = 256 * 1024
const shownLines = 50
const firstRows = 30
const shownCharacters = 200

/**
 * Reads the start of a file and decides how to read all of it. Throws `malformed-csv` if the header or the file is
 * invalid, `invalid-request` if an option names a missing column.
 */
export async function planCsv(file: FileHandle, csvOptions: CsvOptions): Promise<CsvPlan> {
  const { bytes, complete } = await readBeginning(file)
  const { otherDelimiter, above, ...shape } = recogniseShape(
    bytes.subarray(0, shapeBytes),
    complete && bytes.length <= shapeBytes,
    csvOptions,
  )
  const values = new ValueFormats(csvOptions)
  const whole = bytes.subarray(shape.bom).toString()
  const text = whole.slice(above.characters)
  const sample = sampleOf(
    readRecords(text, shape, { complete, line: above.lines + 1 }),
    csvOptions.header === false ? 1 : (csvOptions.headerLines ?? 1),
  )
  const last = sample.header.at(-1)!
  const given = joinedNames(sample.header)
  const trailing = csvOptions.header === false ? none(given) : trailingColumns(given, sample.rows)
  const named = given.slice(0, trailing.named)
  const first = { ...last, fields: sample.header.length > 1 ? given : last.fields }
  const formats = guessFormats(csvOptions.dateFormat, values)
  const { converted } = csvOptions
  const sampled = { named: named.length, unnamed: trailing.unnamed, rows: sample.rows, converted }
  const guesses = guessColumns(sampled, formats)
  const fitsAsRow = sample.header.length === 1 && looksLikeRow(first, guesses.columns)
  const header = csvOptions.header ?? (!fitsAsRow || isHeadedByYears(first, guesses.columns))
  if (!header) for (const [at, guess] of guesses.columns.entries()) guess.see(first.fields[at]!, first.line)
  const isDoubtful = csvOptions.header === undefined && valueInHeader(first) !== undefined
  const lower = csvOptions.skipLines === undefined ? lowerHeader([...sample.header, ...sample.rows]) : undefined
  const naming = namingOf(csvOptions.renameColumns ?? false, lower, isDoubtful)
  const { names, renamed } = header
    ? checkedNames(sample.header[0]!.line, named, naming)
    : { names: named.map((_, at) => `column${at + 1}`), renamed: [] }
  for (const [at, name] of names.entries()) {
    const own = ownValue(csvOptions.dateFormats, name)
    if (own !== undefined)
      guesses.columns[at] = guesses.again(at, guessFormats(own, values), header ? undefined : first)
  }
  const columns = decide(names, guesses.columns, csvOptions, values)
  const dropped = Array.from({ length: trailing.unnamed }, () => droppedColumn(formats))
  const isPlain = shape.quoteEscape === undefined && shape.comment === undefined && shape.quote !== ''
  return {
    ...shape,
    columns: [...columns, ...dropped],
    values,
    isRewritten: !isPlain || values.hasNulls || columns.some(({ isRewritten }) => isRewritten),
    dataStart: shape.bom + Buffer.byteLength(whole.slice(0, above.characters + (header ? last.end : 0))),
    dataLine: header ? last.nextLine : above.lines + 1,
    header: header ? (last.nextLine === 2 ? 'plain' : 'odd') : above.lines > 0 ? 'odd' : 'none',
    multiline: guesses.multiline,
    rowBytes: Math.max(1, (guesses.end - last.end) / Math.max(1, guesses.rows)),
    dateColumn: dateColumn(columns, csvOptions.dateColumn),
    hasHeader: header,
    firstRows: firstOf(header ? sample.rows : [...sample.header, ...sample.rows], csvOptions.converted),
    ragged: { lines: guesses.ragged, of: guesses.rows },
    notes: [
      ...notesOn({
        ...shape,
        otherDelimiter: csvOptions.delimiter === undefined ? otherDelimiter : null,
        quoteAsked: csvOptions.quote !== undefined,
        first,
        fitsAsRow,
        repeatsFirst: guesses.repeatsFirst(first),
        header: csvOptions.header === undefined && sample.header.length === 1 ? header : null,
        isEmpty: header && guesses.rows === 0,
        renamed,
        columns: columns.map(({ name, type, guessed }, at) => {
          return { name, type, guessed, guess: guesses.columns[at]!, values: () => valuesOf(sample.rows, at) }
        }),
        lines: csvOptions.converted ? [] : text.split(/\r\n|\r|\n/, shownLines),
        isConverted: csvOptions.converted !== undefined,
        shapeAdvice: columns.length === 1 && !csvOptions.converted ? await adviseShape(file, csvOptions) : undefined,
      }),
      ...notesOnStanding(columns, guesses.columns, csvOptions),
    ],
  }
}

interface Sample {
  /** At least one record. */
  header: CsvRecord[]
  rows: CsvRecord[]
}

function sampleOf(records: Iterator<CsvRecord>, headerLines: number): Sample {
  const header: CsvRecord[] = []
  while (header.length < headerLines)
    header.push(checkFirst(records.next().value ?? undefined, header.at(-1)?.nextLine))
  const rows: CsvRecord[] = []
  for (let next = records.next(); !next.done && next.value.line <= sampleLines; next = records.next())
    rows.push(next.value)
  return { header, rows }
}

function valuesOf(rows: readonly CsvRecord[], column: number): string[] {
  return rows.map(({ fields }) => fields[column] ?? '')
}

function firstOf(rows: readonly CsvRecord[], converted: CsvOptions['converted']): CsvPlan['firstRows'] {
  return rows.slice(0, firstRows).map(({ line, fields }) => {
    return { line: converted?.lineOf(line) ?? line, values: fields.map((field) => field.slice(0, shownCharacters)) }
  })
}

function none(names: readonly string[]): ReturnType<typeof trailingColumns> {
  return { named: names.length, unnamed: 0 }
}

function droppedColumn({ dates }: GuessFormats): PlannedColumn {
  const formats = { dates: dates[0]!, times: timeFormats(dates[0]!)[0] }
  const read = { unpadded: false, asked: false, guessed: false, isRewritten: false }
  return { name: '', type: 'text', ...formats, ...read, isDropped: true }
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
    for (let at = buffer.indexOf(LF); at >= 0 && at < bytesRead; at = buffer.indexOf(LF, at + 1)) lines++
  }
  return { bytes: Buffer.concat(parts), complete: have >= size }
}

function checkFirst(first: CsvRecord | undefined, line = 1): CsvRecord {
  if (!first || first.end > maxLineBytes) {
    throw malformedAt(line, `The line is longer than ${maxLineBytes.toLocaleString('en')} bytes, or missing.`)
  }
  if (first.fault) throw malformedAt(first.line, `The header cannot be read: ${first.fault}.`)
  if (first.fields.length > maxColumns) {
    throw malformedAt(first.line, `There are ${first.fields.length} columns; ${maxColumns} are the most.`)
  }
  // A replacement character would also shift the first row's offset.
  const broken = first.fields.some((field) => /[\0\ufffd]/.test(field))
  if (broken) throw malformedAt(first.line, headerNotUtf8, ' Save the file as UTF-8.')
  return first
}

function decide(
  names: string[],
  guesses: ColumnGuess[],
  csvOptions: CsvOptions,
  values: ValueFormats,
): PlannedColumn[] {
  for (const name of Object.keys(csvOptions.types ?? {})) mustHave(names, name, 'types')
  for (const name of Object.keys(csvOptions.dateFormats ?? {})) mustHave(names, name, 'dateFormats')
  if (csvOptions.dateColumn !== undefined && !csvOptions.dateColumnOptional)
    mustHave(names, csvOptions.dateColumn, 'dateColumn')
  return names.map((name, at) => {
    const guess = guesses[at]!
    const converted = csvOptions.converted?.types[at]
    const dated = ownValue(csvOptions.dateFormats, name) === undefined ? undefined : momentOf(guess)
    const asked = ownValue(csvOptions.types, name) ?? dated
    const given = asked ?? (csvOptions.allText ? 'text' : ownValue(csvOptions.earlierTypes, name))
    const known = given ?? converted ?? guess.type
    // Rows are filtered by it, so an invalid date in it must not be read as text.
    const type = name === csvOptions.dateColumn && known !== 'timestamp' ? 'date' : known
    const { dates, times, unpadded } = guess
    const isRewritten = values.changes(type, guess)
    const how = { asked: asked !== undefined, guessed: given === undefined && !converted, isRewritten }
    return { name, type, dates, times, unpadded, ...how, isDropped: false }
  })
}

/** What a column has whose dates have a format of their own. */
function momentOf({ type }: ColumnGuess): ColumnType {
  return type === 'timestamp' ? type : 'date'
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
