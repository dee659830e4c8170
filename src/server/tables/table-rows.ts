import type { StoredImport, StoredTable, TableStore } from '../stores/tables.js'
import type { JsonValue } from './json-values.js'
import { type DateRange, parseFilter, type RowFilter, rangeCondition } from './row-filter.js'
import { type RowsEngine, TooMuchAtOnce } from './rows-engine.js'
import {
  countMatching,
  csvHeader,
  csvLine,
  cutPage,
  jsonLine,
  type Lines,
  matchingRows,
  type RowStyle,
  rowsOfLines,
  textOfLines,
} from './rows-sql.js'
import { type UnionColumn, unionColumns } from './union.js'

export interface RowsRequest extends RowFilter {
  offset: number
  limit: number
  /** Default: ISO dates, and no moment. */
  style?: RowStyle
}

export interface RowsPage {
  /** All matching rows, on any page. */
  count: number
  columns: UnionColumn[]
  /** In the order of the columns, followed by the moment if requested. */
  rows: JsonValue[][]
}

export type TextFormat = 'csv' | 'ndjson'

interface BatchText {
  condition: string | null
  /** The expression for one line. */
  line: string
  account: string
  signal: AbortSignal
}

/** The rows of tables: newest import first, and last line first within one, so that an offset is stable. */
export class TableRows {
  readonly #engine: RowsEngine
  readonly #tables: Pick<TableStore, 'ready'>

  constructor(engine: RowsEngine, tables: Pick<TableStore, 'ready'>) {
    this.#engine = engine
    this.#tables = tables
  }

  /** Returns fewer rows than requested if they are large. Throws `invalid-request` for an invalid filter. */
  async page(table: StoredTable, request: RowsRequest, signal: AbortSignal): Promise<RowsPage> {
    const release = await this.#tables.ready(table.imports, signal)
    try {
      return await this.#largestPage(table, request, signal)
    } finally {
      release()
    }
  }

  async #largestPage(table: StoredTable, request: RowsRequest, signal: AbortSignal): Promise<RowsPage> {
    try {
      return await this.#page(table, request, signal)
    } catch (error) {
      if (!(error instanceof TooMuchAtOnce) || request.limit === 1) throw error
      return this.#largestPage(table, { ...request, limit: Math.ceil(request.limit / 8) }, signal)
    }
  }

  async #page(table: StoredTable, request: RowsRequest, signal: AbortSignal): Promise<RowsPage> {
    const { offset, limit, style = plainStyle } = request
    const range = parseFilter(table, request)
    const columns = unionColumns(table)
    if (!range) {
      const count = table.imports.reduce((sum, { rows }) => sum + rows, 0)
      const statements = cutPage(table, offset, limit).map((lines) => rowsOfLines(lines, columns, style))
      return { count, columns, rows: await this.#engine.rows(statements, table.owner, signal) }
    }
    const parts = await this.#count(table, range, signal)
    const count = parts.reduce((sum, { rows }) => sum + rows, 0)
    const statements = []
    let skip = offset
    let want = limit
    for (const { part, condition, rows } of parts) {
      const taken = Math.min(want, Math.max(0, rows - skip))
      if (taken > 0) statements.push(matchingRows(part, condition, { offset: skip, limit: taken }, columns, style))
      want -= taken
      skip = Math.max(0, skip - rows)
    }
    return { count, columns, rows: await this.#engine.rows(statements, table.owner, signal) }
  }

  /**
   * All matching rows as text, in batches of some hundred kilobytes, each read on demand: memory is constant, however
   * slow the client is.
   */
  async *text(
    table: StoredTable,
    filter: RowFilter,
    format: TextFormat,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const release = await this.#tables.ready(table.imports, signal)
    try {
      yield* this.#text(table, filter, format, signal)
    } finally {
      release()
    }
  }

  async *#text(
    table: StoredTable,
    filter: RowFilter,
    format: TextFormat,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const range = parseFilter(table, filter)
    const columns = unionColumns(table)
    if (format === 'csv') yield Buffer.from(csvHeader(columns))
    for (const part of table.imports) {
      const condition = range ? rangeCondition(part, range) : null
      if (range && condition === null) continue
      const line = format === 'csv' ? csvLine(part, columns) : jsonLine(part, columns)
      const text = { condition, line, account: table.owner, signal }
      for (const lines of cutBatches(part)) yield* this.#batch(lines, text)
    }
  }

  /** In halves if the whole does not fit into memory: some rows may be a thousand times as large as others. */
  async *#batch(lines: Lines, text: BatchText): AsyncGenerator<Uint8Array> {
    const { condition, line, account, signal } = text
    try {
      const bytes = await this.#engine.bytes(textOfLines(lines, condition, line), account, signal)
      if (bytes.length > 0) yield bytes
    } catch (error) {
      const { part, from, to } = lines
      if (!(error instanceof TooMuchAtOnce) || to - from === 1) throw error
      const middle = Math.floor((from + to) / 2)
      yield* this.#batch({ part, from: middle, to }, text)
      yield* this.#batch({ part, from, to: middle }, text)
    }
  }

  async #count(table: StoredTable, range: DateRange, signal: AbortSignal) {
    const parts = table.imports.flatMap((part) => {
      const condition = rangeCondition(part, range)
      return condition === null ? [] : { part, condition }
    })
    const found = await this.#engine.rows([countMatching(parts)], table.owner, signal)
    const counted = new Map(found as [number, number][])
    return parts.map(({ part, condition }) => ({ part, condition, rows: counted.get(part.id) ?? 0 }))
  }
}

const plainStyle: RowStyle = { dates: 'iso', moment: false }

/** Yields ranges of lines, last lines first, each about the size of a batch. */
function* cutBatches(part: StoredImport): Generator<Lines> {
  const rowBytes = Math.max(1, part.sourceBytes / part.rows)
  const step = Math.max(1, Math.min(mostLines, Math.floor(batchBytes / rowBytes)))
  for (let to = part.rows; to > 0; to -= step) yield { part, from: Math.max(0, to - step), to }
}

const batchBytes = 2 * 1024 ** 2
const mostLines = 20_480
