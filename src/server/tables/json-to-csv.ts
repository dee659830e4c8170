import type { FileHandle } from 'node:fs/promises'
import type { ColumnType } from '../../protocol/tables.js'
import { maxColumns, sampleLines } from './csv-limits.js'
import type { OpenBytes } from './decode-text.js'
import { JsonColumns } from './json-columns.js'
import { type JsonRecord, readJsonRecords } from './json-records.js'
import { malformedAt } from './malformed.js'
import type { Note } from './notes.js'
import { refusedFile } from './other-formats.js'

/** A file that was converted to a CSV, whose values have had types. */
export interface ConvertedFile {
  /** By column; null for texts, which are guessed to be dates, times or text. */
  readonly types: (ColumnType | null)[]
  readonly notes: Note[]
  /** The line of the file that a line of the CSV comes from, within the sample. */
  lineOf(line: number): number
  /** As `lineOf`, for any lines, in ascending order: it reads the file again. */
  findLines(lines: number[]): Promise<number[]>
}

/**
 * Writes the objects of a JSON file to a CSV with the keys of all as its header. Values are as written, nested ones are JSON;
 * null, a missing key and an empty text are empty fields. Throws `malformed-csv`.
 */
export async function convertJson(open: OpenBytes, write: CsvWriter): Promise<ConvertedFile> {
  const columns = new JsonColumns()
  // A file with a key that is first seen late is read once more.
  if (!(await writeFirstPass(open, write, columns))) {
    await write.restart()
    await writeRows(open, write, columns.names)
  }
  const { names } = columns
  if (names.length === 0) throw refusedFile('The file is JSON and has no object with a key, so there are no columns.')
  return {
    types: columns.columns.map(({ type }) => type),
    notes: [...limited(columns.columns.flatMap(({ notes }) => notes)), ...noteOnWrapper(write, columns)],
    lineOf: (line) => write.lines[line - firstRowLine] ?? line,
    findLines: (lines) => findLines(open, names, lines),
  }
}

/** The CSV under way. */
export class CsvWriter {
  readonly #file: FileHandle
  readonly #maxBytes: number
  readonly #tooLarge: () => Error
  #bytes = 0
  /** Of the file that is read, by the lines of the sample. */
  lines: number[] = []
  rows = 0

  constructor(file: FileHandle, { maxBytes, tooLarge }: { maxBytes: number; tooLarge: () => Error }) {
    this.#file = file
    this.#maxBytes = maxBytes
    this.#tooLarge = tooLarge
  }

  async restart(): Promise<void> {
    await this.#file.truncate(0)
    this.#bytes = 0
    this.lines = []
    this.rows = 0
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text)
    if (this.#bytes + bytes.length > this.#maxBytes) throw this.#tooLarge()
    await this.#file.write(bytes, 0, bytes.length, this.#bytes)
    this.#bytes += bytes.length
  }

  async writeRows(records: readonly JsonRecord[], names: readonly string[]): Promise<void> {
    let rows = ''
    for (const record of records) {
      const row = rowOf(record, names)
      if (this.lines.length <= sampleLines) for (let at = linesOf(row); at > 0; at--) this.lines.push(record.line)
      this.rows++
      rows += row
      if (rows.length < flushedAt) continue
      await this.write(rows)
      rows = ''
    }
    await this.write(rows)
  }
}

/** False if a key came too late for the header. */
async function writeFirstPass(open: OpenBytes, write: CsvWriter, columns: JsonColumns): Promise<boolean> {
  let header: string[] | undefined
  let isLate = false
  for await (const records of readJsonRecords(open)) {
    for (const record of records) columns.see(record)
    const { names } = columns
    if (names.length > maxColumns) {
      throw malformedAt(records[0]!.line, `There are ${names.length} keys; ${maxColumns} columns are the most.`)
    }
    isLate ||= header !== undefined && header.length !== names.length
    if (isLate) continue
    if (!header) await write.write(headerOf(names))
    header = names
    await write.writeRows(records, names)
  }
  return !isLate
}

async function writeRows(open: OpenBytes, write: CsvWriter, names: readonly string[]): Promise<void> {
  await write.write(headerOf(names))
  for await (const records of readJsonRecords(open)) await write.writeRows(records, names)
}

async function findLines(open: OpenBytes, names: readonly string[], wanted: number[]): Promise<number[]> {
  const found: number[] = []
  let line = firstRowLine
  for await (const records of readJsonRecords(open)) {
    for (const record of records) {
      line += linesOf(rowOf(record, names))
      while (found.length < wanted.length && wanted[found.length]! < line) found.push(record.line)
      if (found.length === wanted.length) return found
    }
  }
  return wanted
}

/** In one line, whatever the names are: a line end in a name is a space. */
function headerOf(names: readonly string[]): string {
  const header = names.map((name) => quoted(name.replace(/[\r\n]+/g, ' '))).join(',')
  // The space before the quote tells it from a line such as `sep=;`.
  return `${/^"sep=/i.test(header) ? ' ' : ''}${header}\n`
}

function rowOf({ members }: JsonRecord, names: readonly string[]): string {
  const fields = names.map((name) => {
    const member = members.get(name)
    if (!member || member.text === '') return ''
    return member.kind === 'text' || member.kind === 'nested' ? quoted(member.text) : member.text
  })
  return `${fields.join(',')}\n`
}

function quoted(text: string): string {
  return `"${text.includes('"') ? text.replaceAll('"', '""') : text}"`
}

function linesOf(row: string): number {
  return row.match(/\r\n|\r|\n/g)!.length
}

/** Answers of web services have their rows within one object. */
function noteOnWrapper({ rows }: CsvWriter, { columns }: JsonColumns): Note[] {
  const nested = rows === 1 ? columns.find(({ hasNested }) => hasNested) : undefined
  if (!nested) return []
  return [{ text: `The file is one object and became one row; the rows may be in "${nested.name}".` }]
}

function limited(notes: Note[]): Note[] {
  const more = notes.length - maxNotes
  return more > 0 ? [...notes.slice(0, maxNotes), { text: `There are ${more} more notes of this kind.` }] : notes
}

const maxNotes = 16
const firstRowLine = 2
const flushedAt = 1024 ** 2
