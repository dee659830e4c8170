import type { StoredImport, StoredTable, TableStore } from '../stores/tables.js'
import type { JsonValue } from './json-values.js'
import type { RowCondition } from './row-conditions.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import { type RowsEngine, TooMuchAtOnce } from './rows-engine.js'
import type { Values } from './rows-messages.js'
import { parseColumns, parseSort, type RowShape, selectRows } from './rows-select.js'
import {
  countMatching,
  csvHeader,
  csvLine,
  cutPage,
  inOrder,
  jsonLine,
  type Lines,
  matchingRows,
  type RowOrder,
  type RowStyle,
  rowsOfLines,
  textOfLines,
} from './rows-sql.js'
import type { UnionColumn } from './union.js'

export interface RowsRequest extends RowFilter, RowShape {
  offset: number
  limit: number
  /** Without `sort`; default `file`. */
  order?: RowOrder
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
  values: Values
  /** The expression for one line. */
  line: string
  account: string
  signal: AbortSignal
}

/** The rows of tables. */
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
    const { offset, limit, style = plainStyle, order = 'file' } = request
    const condition = parseFilter(table, request)
    const columns = parseColumns(table, request)
    const sort = parseSort(table, request)
    if (!condition && sort.length === 0) {
      const count = rowsOf(table)
      const statements = cutPage(table, { offset, limit, order }).map((lines) =>
        rowsOfLines(lines, columns, style, order),
      )
      return { count, columns, rows: await this.#engine.rows(statements, table.owner, signal) }
    }
    const parts = condition ? await this.#count(table, condition, order, signal) : []
    const count = condition ? parts.reduce((sum, { rows }) => sum + rows, 0) : rowsOf(table)
    const values = condition?.values ?? {}
    if (sort.length > 0) {
      const all = selectRows(table, columns, condition, { sort, style })
      const rows = await this.#engine.rows([`${all} LIMIT ${limit} OFFSET ${offset}`], table.owner, signal, values)
      return { count, columns, rows }
    }
    const statements = []
    let skip = offset
    let want = limit
    for (const { part, own, rows } of parts) {
      const taken = Math.min(want, Math.max(0, rows - skip))
      if (taken > 0) statements.push(matchingRows(part, own, { offset: skip, limit: taken, order }, columns, style))
      want -= taken
      skip = Math.max(0, skip - rows)
    }
    return { count, columns, rows: await this.#engine.rows(statements, table.owner, signal, values) }
  }

  /**
   * All matching rows as text, in the order of the files, in batches of some hundred kilobytes, each read on demand: memory is constant, however
   * slow the client is.
   */
  async *text(
    table: StoredTable,
    filter: RowFilter & RowShape,
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
    filter: RowFilter & RowShape,
    format: TextFormat,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const found = parseFilter(table, filter)
    const columns = parseColumns(table, filter)
    if (format === 'csv') yield Buffer.from(csvHeader(columns))
    for (const part of inOrder(table, 'file')) {
      const condition = found ? found.in(part) : null
      if (found && condition === null) continue
      const line = format === 'csv' ? csvLine(part, columns) : jsonLine(part, columns)
      const text = { condition, values: found?.values ?? {}, line, account: table.owner, signal }
      for (const lines of cutBatches(part)) yield* this.#batch(lines, text)
    }
  }

  /** In halves if the whole does not fit into memory: some rows may be a thousand times as large as others. */
  async *#batch(lines: Lines, text: BatchText): AsyncGenerator<Uint8Array> {
    const { condition, values, line, account, signal } = text
    try {
      const bytes = await this.#engine.bytes(textOfLines(lines, condition, line), account, signal, values)
      if (bytes.length > 0) yield bytes
    } catch (error) {
      const { part, from, to } = lines
      if (!(error instanceof TooMuchAtOnce) || to - from === 1) throw error
      const middle = Math.floor((from + to) / 2)
      yield* this.#batch({ part, from, to: middle }, text)
      yield* this.#batch({ part, from: middle, to }, text)
    }
  }

  async #count(table: StoredTable, condition: RowCondition, order: RowOrder, signal: AbortSignal) {
    const parts = inOrder(table, order).flatMap((part) => {
      const own = condition.in(part)
      return own === null ? [] : { part, own }
    })
    if (parts.length === 0) return []
    const statement = countMatching(parts.map(({ part, own }) => ({ part, condition: own })))
    const found = await this.#engine.rows([statement], table.owner, signal, condition.values)
    const counted = new Map(found as [number, number][])
    return parts.map(({ part, own }) => ({ part, own, rows: counted.get(part.id) ?? 0 }))
  }
}

const plainStyle: RowStyle = { dates: 'iso', moment: false }

/** Yields ranges of lines, each about the size of a batch. */
function* cutBatches(part: StoredImport): Generator<Lines> {
  const rowBytes = Math.max(1, part.sourceBytes / part.rows)
  const step = Math.max(1, Math.min(mostLines, Math.floor(batchBytes / rowBytes)))
  for (let from = 0; from < part.rows; from += step) yield { part, from, to: Math.min(part.rows, from + step) }
}

function rowsOf({ imports }: StoredTable): number {
  return imports.reduce((sum, { rows }) => sum + rows, 0)
}

const batchBytes = 2 * 1024 ** 2
const mostLines = 20_480
