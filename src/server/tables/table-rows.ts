import type { StoredImport, StoredTable } from '../stores/tables.js'
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
  /** All rows that match, on whatever page. */
  count: number
  columns: UnionColumn[]
  /** In the order of the columns, with the moment behind them where it was asked for. */
  rows: JsonValue[][]
}

export type TextFormat = 'csv' | 'ndjson'

/** The rows of tables: newest import first, and last line first within one, so that an offset is stable. */
export class TableRows {
  readonly #engine: RowsEngine

  constructor(engine: RowsEngine) {
    this.#engine = engine
  }

  /** Has fewer rows than wanted where they are large. Throws `invalid-request` for a filter that makes no sense. */
  async page(table: StoredTable, request: RowsRequest, signal: AbortSignal): Promise<RowsPage> {
    try {
      return await this.#page(table, request, signal)
    } catch (error) {
      if (!(error instanceof TooMuchAtOnce) || request.limit === 1) throw error
      return this.page(table, { ...request, limit: Math.ceil(request.limit / 8) }, signal)
    }
  }

  async #page(table: StoredTable, request: RowsRequest, signal: AbortSignal): Promise<RowsPage> {
    const { offset, limit, style = plainStyle } = request
    const range = parseFilter(table, request)
    const columns = unionColumns(table)
    if (!range) {
      const count = table.imports.reduce((sum, { rows }) => sum + rows, 0)
      const statements = cutPage(table, offset, limit).map((lines) => rowsOfLines(lines, columns, style))
      return { count, columns, rows: await this.#engine.rows(statements, signal) }
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
    return { count, columns, rows: await this.#engine.rows(statements, signal) }
  }

  /**
   * All matching rows as text, in pieces of some hundred kilobytes, each read when it is asked for: memory stays flat however
   * slow the reader is.
   */
  async *text(
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
      for (const lines of cutPieces(part)) yield* this.#piece(lines, condition, line, signal)
    }
  }

  /** In halves where the whole does not fit into memory: some rows may be a thousand times as large as others. */
  async *#piece(lines: Lines, condition: string | null, line: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      const bytes = await this.#engine.bytes(textOfLines(lines, condition, line), signal)
      if (bytes.length > 0) yield bytes
    } catch (error) {
      const { part, from, to } = lines
      if (!(error instanceof TooMuchAtOnce) || to - from === 1) throw error
      const middle = Math.floor((from + to) / 2)
      yield* this.#piece({ part, from: middle, to }, condition, line, signal)
      yield* this.#piece({ part, from, to: middle }, condition, line, signal)
    }
  }

  async #count(table: StoredTable, range: DateRange, signal: AbortSignal) {
    const parts = table.imports.flatMap((part) => {
      const condition = rangeCondition(part, range)
      return condition === null ? [] : { part, condition }
    })
    const counted = new Map((await this.#engine.rows([countMatching(parts)], signal)) as [number, number][])
    return parts.map(({ part, condition }) => ({ part, condition, rows: counted.get(part.id) ?? 0 }))
  }
}

const plainStyle: RowStyle = { dates: 'iso', moment: false }

/** From the last line on; about as many lines as a piece may have bytes for. */
function* cutPieces(part: StoredImport): Generator<Lines> {
  const rowBytes = Math.max(1, part.sourceBytes / part.rows)
  const step = Math.max(1, Math.min(mostLines, Math.floor(pieceBytes / rowBytes)))
  for (let to = part.rows; to > 0; to -= step) yield { part, from: Math.max(0, to - step), to }
}

const pieceBytes = 2 * 1024 ** 2
const mostLines = 20_480
