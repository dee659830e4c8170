import type { TableSummary } from '../../protocol/tables.js'
import { Semaphore } from '../concurrency/semaphore.js'
import type { StoredTable, TableStore } from '../stores/tables.js'
import type { RowsEngine } from './rows-engine.js'
import { countsOverTime, type DatedPart, datedParts, dateSpan, statistics, type TimeUnit } from './summary-sql.js'
import { dateColumnOf, findColumn, unionColumns } from './union.js'

const kept = 100
const dayMs = 86_400_000

/** Summaries of tables. A summary of millions of rows takes seconds, so the last ones are cached. */
export class TableSummaries {
  readonly #engine: RowsEngine
  readonly #tables: Pick<TableStore, 'ready'>
  /** One at a time, so that the engine is available for pages. */
  readonly #slots = new Semaphore({ slots: 1 })
  readonly #kept = new Map<string, TableSummary>()

  constructor(engine: RowsEngine, tables: Pick<TableStore, 'ready'>) {
    this.#engine = engine
    this.#tables = tables
  }

  async summarise(table: StoredTable, signal: AbortSignal): Promise<TableSummary> {
    // Import ids are never reused, so these can only be this table in its current state.
    const key = JSON.stringify(table.imports.map(({ id, columns }) => [id, ...columns.map(({ name }) => name)]))
    const known = this.#kept.get(key)
    if (known) return known
    const summary = await this.#slots.run(table.owner, signal, () => this.#compute(table, signal))
    this.#kept.set(key, summary)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > kept && oldest !== undefined) this.#kept.delete(oldest)
    return summary
  }

  async #compute(table: StoredTable, signal: AbortSignal): Promise<TableSummary> {
    const release = await this.#tables.ready(table.imports, signal)
    try {
      return await this.#read(table, signal)
    } finally {
      release()
    }
  }

  async #read(table: StoredTable, signal: AbortSignal): Promise<TableSummary> {
    const columns = unionColumns(table)
    const [values = []] = await this.#engine.rows([statistics(table, columns)], table.owner, signal)
    return {
      rows: table.imports.reduce((sum, { rows }) => sum + rows, 0),
      columns: columns.map(({ name, type }, at) => {
        const [distinct, min, max] = values.slice(at * 3, at * 3 + 3)
        return { name, type, nulls: nullsOf(table, name), distinct: Number(distinct ?? 0), min, max }
      }),
      overTime: await this.#overTime(table, signal),
    }
  }

  async #overTime(table: StoredTable, signal: AbortSignal): Promise<TableSummary['overTime']> {
    const column = dateColumnOf(table)
    const parts = column === null ? [] : datedParts(table, column)
    if (column === null || parts.length === 0) return null
    const unit = await this.#unitFor(parts, table.owner, signal)
    const counted = await this.#engine.rows([countsOverTime(parts, unit)], table.owner, signal)
    return { column, unit, counts: counted.map(([from, rows]) => ({ from: String(from), rows: Number(rows) })) }
  }

  async #unitFor(parts: DatedPart[], account: string, signal: AbortSignal): Promise<TimeUnit> {
    const [[first, last] = []] = await this.#engine.rows([dateSpan(parts)], account, signal)
    const days = (Date.parse(String(last)) - Date.parse(String(first))) / dayMs
    if (!(days > 92)) return 'day'
    return days <= 2 * 366 ? 'week' : days <= 30 * 366 ? 'month' : 'year'
  }
}

function nullsOf({ imports }: StoredTable, name: string): number {
  return imports.reduce((sum, part) => sum + (findColumn(part, name)?.nulls ?? part.rows), 0)
}
