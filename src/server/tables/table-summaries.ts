import type { TableSummary } from '../../protocol/tables.js'
import type { StoredTable } from '../stores/tables.js'
import { Gate } from './gate.js'
import type { RowsEngine } from './rows-engine.js'
import { countsOverTime, type DatedPart, datedParts, dateSpan, statistics, type TimeUnit } from './summary-sql.js'
import { dateColumnOf, findColumn, unionColumns } from './union.js'

const kept = 100
const dayMs = 86_400_000

/** What is in tables at a glance. A summary of millions of rows takes seconds, so that the last ones are kept. */
export class TableSummaries {
  readonly #engine: RowsEngine
  /** One at a time, so that pages find the engine free. */
  readonly #gate = new Gate(1)
  readonly #kept = new Map<string, TableSummary>()

  constructor(engine: RowsEngine) {
    this.#engine = engine
  }

  async summarise(table: StoredTable, signal: AbortSignal): Promise<TableSummary> {
    // The ids of imports are never used again, so these can only be this table as it stands.
    const key = table.imports.map(({ id }) => id).join()
    const known = this.#kept.get(key)
    if (known) return known
    const summary = await this.#gate.pass(signal, () => this.#compute(table, signal))
    this.#kept.set(key, summary)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > kept && oldest !== undefined) this.#kept.delete(oldest)
    return summary
  }

  async #compute(table: StoredTable, signal: AbortSignal): Promise<TableSummary> {
    const columns = unionColumns(table)
    const [values = []] = await this.#engine.rows([statistics(table, columns)], signal)
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
    const unit = await this.#unitFor(parts, signal)
    const counted = await this.#engine.rows([countsOverTime(parts, unit)], signal)
    return { column, unit, counts: counted.map(([from, rows]) => ({ from: String(from), rows: Number(rows) })) }
  }

  async #unitFor(parts: DatedPart[], signal: AbortSignal): Promise<TimeUnit> {
    const [[first, last] = []] = await this.#engine.rows([dateSpan(parts)], signal)
    const days = (Date.parse(String(last)) - Date.parse(String(first))) / dayMs
    if (!(days > 92)) return 'day'
    return days <= 2 * 366 ? 'week' : days <= 30 * 366 ? 'month' : 'year'
  }
}

function nullsOf({ imports }: StoredTable, name: string): number {
  return imports.reduce((sum, part) => sum + (findColumn(part, name)?.nulls ?? part.rows), 0)
}
