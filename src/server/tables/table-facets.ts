import { type ColumnFacet, type Facets, maxDistinctValues, maxFacetColumns } from '../../protocol/facets.js'
import { Problem } from '../../protocol/problems.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { StoredTable, TableStore } from '../stores/tables.js'
import { columnStatistics, countRows, type FacetPart, facetParts, frequentValues } from './facets-sql.js'
import type { JsonValue } from './json-values.js'
import { parseFilter, type RowFilter } from './row-filter.js'
import type { RowsEngine } from './rows-engine.js'
import { parseColumns } from './rows-select.js'
import { type UnionColumn, unionColumns } from './union.js'

export interface FacetsRequest extends RowFilter {
  /** Names, separated by commas; default: the first `maxFacetColumns`. */
  columns?: string | undefined
  /** How many values each column lists. */
  limit: number
}

export interface TableFacetsOptions {
  /** How long one request may compute; default 10 s. */
  timeoutMs?: number
}

/** What the columns of matching rows hold: missing, distinct, least, greatest and most frequent values. */
export class TableFacets {
  readonly #engine: RowsEngine
  readonly #tables: Pick<TableStore, 'ready'>
  readonly #timeoutMs: number
  /** One at a time, so that the engine is available for pages. */
  readonly #slots = new Semaphore({ slots: 1 })

  constructor(engine: RowsEngine, tables: Pick<TableStore, 'ready'>, { timeoutMs = 10_000 }: TableFacetsOptions = {}) {
    this.#engine = engine
    this.#tables = tables
    this.#timeoutMs = timeoutMs
  }

  /** Throws `invalid-request` for an invalid filter or column, and `query-too-long`. */
  async count(table: StoredTable, request: FacetsRequest, signal: AbortSignal): Promise<Facets> {
    const filter = parseFilter(table, request)
    const columns = facetColumns(table, request)
    const parts = facetParts(table, filter)
    if (parts.length === 0) return { rows: 0, columns: columns.map(emptyFacet) }
    return this.#slots.run(table.owner, signal, async () => {
      const release = await this.#tables.ready(table.imports, signal)
      const timeout = AbortSignal.timeout(this.#timeoutMs)
      const either = AbortSignal.any([signal, timeout])
      const run = (statement: string) => this.#engine.rows([statement], table.owner, either, filter?.values)
      try {
        const [[rows = 0] = []] = await run(countRows(parts))
        const found: ColumnFacet[] = []
        for (const column of columns) found.push(await facetOf(column, { parts, limit: request.limit, run }))
        return { rows: Number(rows), columns: found }
      } catch (error) {
        if (timeout.aborted && !signal.aborted) throw tooLong(this.#timeoutMs)
        throw error
      } finally {
        release()
      }
    })
  }
}

interface FacetWork {
  readonly parts: readonly FacetPart[]
  readonly limit: number
  run(statement: string): Promise<JsonValue[][]>
}

async function facetOf(column: UnionColumn, { parts, limit, run }: FacetWork): Promise<ColumnFacet> {
  const [[missing, distinct, min = null, max = null] = []] = await run(columnStatistics(parts, column, isSmall(parts)))
  const hasFew = Number(distinct) <= maxDistinctValues
  const values = hasFew ? await run(frequentValues(parts, column, limit)) : null
  return {
    ...column,
    missing: Number(missing),
    distinct: Number(distinct),
    min,
    max,
    values: values?.map(([value = null, rows]) => ({ value, rows: Number(rows) })) ?? null,
  }
}

/** Up to this size distinct values are counted exactly: they fit into the memory of the engine. */
function isSmall(parts: readonly FacetPart[]): boolean {
  const rows = parts.reduce((sum, { part }) => sum + part.rows, 0)
  const bytes = parts.reduce((sum, { part }) => sum + part.sourceBytes, 0)
  return rows <= exactRows && bytes <= exactBytes
}

function facetColumns(table: StoredTable, { columns }: FacetsRequest): UnionColumn[] {
  if (columns === undefined) return unionColumns(table).slice(0, maxFacetColumns)
  const chosen = parseColumns(table, { columns })
  if (chosen.length <= maxFacetColumns) return chosen
  const message = `columns: ${chosen.length} columns are more than ${maxFacetColumns}.`
  throw new Problem('invalid-request', message, { field: 'columns' })
}

function emptyFacet({ name, type }: UnionColumn): ColumnFacet {
  return { name, type, missing: 0, distinct: 0, min: null, max: null, values: [] }
}

function tooLong(timeoutMs: number): Problem {
  const message = `The values were not counted within ${timeoutMs / 1000} s. Choose fewer columns, or fewer rows.`
  return new Problem('query-too-long', message)
}

const exactRows = 200_000
const exactBytes = 64 * 1024 ** 2
