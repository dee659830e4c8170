import { useState } from 'preact/hooks'
import { tablePath } from '../../../protocol/routes.js'
import type { Rows, TableRecord } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { count } from '../../labels.js'
import { useLoaded } from '../../parts/loaded.js'
import { Pager } from '../../parts/pager.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { RowTable } from './row-table.js'

const pageSize = 50

/** A table's rows, newest first, filtered by dates if it has a date column. */
export function TableRowsView({ table }: { table: TableRecord }) {
  const dateColumns = table.columns.filter(({ type }) => /^(date|timestamp)/.test(type))
  const [from, setFrom] = useState('')
  const [to, setTo] = useState('')
  const [column, setColumn] = useState(table.dateColumn ?? '')
  const [offset, setOffset] = useState(0)
  const query = { from, to, column: from || to ? column : '', limit: pageSize, offset }
  const { value, error, reload } = useLoaded(JSON.stringify([table.name, table.rows, query]), (signal) =>
    callApi<Rows>('GET', tablePath(table.name, 'rows'), { query, signal }),
  )
  const change = (set: (value: string) => void) => (event: Event) => {
    setOffset(0)
    set((event.currentTarget as HTMLInputElement).value)
  }
  return (
    <section class="panel" aria-label="Rows">
      <header class="panel-head">
        {dateColumns.length > 0 && (
          <>
            <label class="inline-field">
              <span>From</span>
              <input type="date" value={from} onChange={change(setFrom)} />
            </label>
            <label class="inline-field">
              <span>To, without</span>
              <input type="date" value={to} onChange={change(setTo)} />
            </label>
            {dateColumns.length > 1 && (
              <label class="inline-field">
                <span>by</span>
                <select value={column} onChange={change(setColumn)}>
                  {dateColumns.map(({ name }) => (
                    <option key={name}>{name}</option>
                  ))}
                </select>
              </label>
            )}
          </>
        )}
        {value && <span class="dim">{count(value.count, 'row')}</span>}
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading />}
      {value && value.results.length === 0 && (
        <Empty icon="table" title="No rows">
          None lies in this time.
        </Empty>
      )}
      {value && value.results.length > 0 && (
        <RowTable columns={value.columns} rows={value.results} label={`Rows of ${table.name}`} />
      )}
      <Pager
        page={offset / pageSize + 1}
        onBack={offset > 0 ? () => setOffset(offset - pageSize) : null}
        onNext={value?.next ? () => setOffset(offset + pageSize) : null}
        label="rows"
      />
    </section>
  )
}
