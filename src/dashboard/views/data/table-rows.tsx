import { routes } from '../../../protocol/routes.js'
import type { Rows, TableRecord } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { features } from '../../features.js'
import { useLoaded } from '../../parts/loaded.js'
import { Pager } from '../../parts/pager.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { goTo } from '../../router.js'
import { say } from '../../words/say.js'
import { RowTable } from './row-table.js'
import { TableFacetsView } from './table-facets.js'
import { TableFilters } from './table-filters.js'
import { chosenColumns, hrefOfTable, pageRows, rowsPath, sortOf, sqlOf, type TableState } from './table-state.js'

interface TableRowsProps {
  table: TableRecord
  state: TableState
}

/** A table's rows: filtered, sorted, with the columns that were chosen. All of it stands in the address. */
export function TableRowsView({ table, state }: TableRowsProps) {
  const change = (changes: Partial<TableState>) => goTo(hrefOfTable(table.name, { ...state, page: 1, ...changes }))
  const path = rowsPath(table.name, state)
  const { value, error, reload } = useLoaded(`${path} ${table.rows}`, (signal) =>
    callApi<Rows>('GET', path, { signal }),
  )
  const sort = sortOf(table.columns, state.sort)
  const sortBy = (name: string) => {
    if (sort.name !== name) change({ sort: name })
    else change({ sort: sort.isDescending ? '' : `-${name}` })
  }
  return (
    <section class="panel" aria-label={say('table.rows')}>
      <TableFilters table={table} state={state} onChange={change} />
      <div class="table-tools">
        <span class="dim" role="status">
          {value && say('amount.rows', { count: value.count })}
        </span>
        <button
          type="button"
          aria-expanded={state.facets}
          aria-controls={state.facets ? 'facets' : undefined}
          onClick={() => change({ facets: !state.facets, page: state.page })}
        >
          {say('facets.show')}
        </button>
        <ColumnChoice table={table} state={state} onChange={change} />
        <ExportLinks table={table} state={state} />
        {features.value?.queries !== false && (
          <a class="button" href={`${routes.tables}?${new URLSearchParams({ sql: sqlOf(table, state) })}`}>
            {say('table.asSql')}
          </a>
        )}
      </div>
      <div class={state.facets ? 'rows-beside-facets' : ''}>
        {state.facets && <TableFacetsView table={table} state={state} onChange={change} />}
        <div>
          {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
          {!value && error === undefined && <Loading />}
          {value && value.results.length === 0 && (
            <Empty icon="table" title={say('table.none')}>
              {say('table.noneHint')}
            </Empty>
          )}
          {value && value.results.length > 0 && (
            <RowTable
              columns={value.columns}
              rows={value.results}
              label={say('table.rowsOf', { table: table.name })}
              sort={sort}
              onSort={sortBy}
            />
          )}
        </div>
      </div>
      <Pager
        page={state.page}
        onBack={state.page > 1 ? () => change({ page: state.page - 1 }) : null}
        onNext={value && value.count > state.page * pageRows ? () => change({ page: state.page + 1 }) : null}
        label={say('table.rows')}
      />
    </section>
  )
}

function ColumnChoice({ table, state, onChange }: TableRowsProps & { onChange(changes: Partial<TableState>): void }) {
  const shown = chosenColumns(table.columns, state.columns)
  const toggle = (name: string) => {
    const next = table.columns.map((column) => column.name).filter((each) => shown.includes(each) !== (each === name))
    if (next.length > 0)
      onChange({ columns: next.length === table.columns.length ? '' : next.join(','), page: state.page })
  }
  return (
    <details class="dropdown">
      <summary class="button">{say('table.columns', { shown: shown.length, count: table.columns.length })}</summary>
      <div class="dropdown-body">
        {table.columns.map(({ name }) => (
          <label key={name} class="check">
            <input type="checkbox" checked={shown.includes(name)} onChange={() => toggle(name)} />
            <bdi>{name}</bdi>
          </label>
        ))}
      </div>
    </details>
  )
}

/** All rows that are shown, over all pages. The browser downloads them, and they are a job. */
function ExportLinks({ table, state }: TableRowsProps) {
  return (
    <details class="dropdown">
      <summary class="button">{say('table.export')}</summary>
      <div class="dropdown-body">
        {(['csv', 'ndjson', 'parquet'] as const).map((format) => (
          <a key={format} class="menu-item" href={rowsPath(table.name, state, format)} download>
            {say(`table.as.${format}`)}
          </a>
        ))}
      </div>
    </details>
  )
}
