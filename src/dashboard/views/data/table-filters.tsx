import { useState } from 'preact/hooks'
import type { TableRecord } from '../../../protocol/tables.js'
import { Icon } from '../../parts/icon.js'
import { say } from '../../words/say.js'
import { conditionParts, type Operator, operators, type TableState } from './table-state.js'

export interface TableFiltersProps {
  table: TableRecord
  state: TableState
  onChange(changes: Partial<TableState>): void
}

/** Which rows are shown: conditions on columns, and two dates. */
export function TableFilters({ table, state, onChange }: TableFiltersProps) {
  return (
    <div class="table-filters">
      <DateFields table={table} state={state} onChange={onChange} />
      <NewCondition table={table} onAdd={(text) => onChange({ where: [...state.where, text] })} />
      {state.where.length > 0 && (
        <ul class="chips" aria-label={say('table.filters')}>
          {state.where.map((text, at) => (
            <li key={text}>
              <button
                type="button"
                class="chip"
                aria-label={say('table.removeFilter', { filter: wordsOf(table, text) })}
                onClick={() => onChange({ where: state.where.filter((_, index) => index !== at) })}
              >
                {wordsOf(table, text)}
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function DateFields({ table, state: { from, to, column }, onChange }: TableFiltersProps) {
  const dateColumns = table.columns.filter(({ type }) => /^(date|timestamp)/.test(type))
  if (dateColumns.length === 0) return null
  return (
    <>
      <label class="inline-field">
        <span>{say('table.from')}</span>
        <input type="date" value={from} onChange={(event) => onChange({ from: event.currentTarget.value })} />
      </label>
      <label class="inline-field">
        <span>{say('table.to')}</span>
        <input type="date" value={to} onChange={(event) => onChange({ to: event.currentTarget.value })} />
      </label>
      {dateColumns.length > 1 && (
        <label class="inline-field">
          <span>{say('table.by')}</span>
          <select
            value={column || (table.dateColumn ?? '')}
            onChange={(event) => onChange({ column: event.currentTarget.value })}
          >
            {dateColumns.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
    </>
  )
}

function NewCondition({ table, onAdd }: { table: TableRecord; onAdd(text: string): void }) {
  const [column, setColumn] = useState(table.columns[0]?.name ?? '')
  const [operator, setOperator] = useState<Operator>('=')
  const [value, setValue] = useState('')

  function submit(event: SubmitEvent) {
    event.preventDefault()
    onAdd(`${column}${operator}${value.trim()}`)
    setValue('')
  }

  return (
    <form class="new-condition" onSubmit={submit}>
      <select
        aria-label={say('table.column')}
        value={column}
        onChange={(event) => setColumn(event.currentTarget.value)}
      >
        {table.columns.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select
        aria-label={say('table.comparison')}
        value={operator}
        onChange={(event) => setOperator(event.currentTarget.value as Operator)}
      >
        {operatorOrder.map((each) => (
          <option key={each} value={each}>
            {say(`table.op.${each}`)}
          </option>
        ))}
      </select>
      <input
        aria-label={say('table.value')}
        placeholder={say('table.missing')}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
      />
      <button type="submit">{say('table.addFilter')}</button>
    </form>
  )
}

function wordsOf(table: TableRecord, text: string): string {
  const parts = conditionParts(table.columns, text)
  if (!parts) return text
  const { column, operator, value } = parts
  return say('table.filter', {
    column: column.name,
    comparison: say(`table.op.${operator}`),
    value: value || say('table.missing'),
  })
}

const operatorOrder = operators.toSorted((one, other) => '=!~<>'.indexOf(one[0]!) - '=!~<>'.indexOf(other[0]!))
