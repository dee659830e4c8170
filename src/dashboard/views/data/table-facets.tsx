import { useRef } from 'preact/hooks'
import type { ColumnFacet, Facets } from '../../../protocol/facets.js'
import type { TableRecord } from '../../../protocol/tables.js'
import { callApi } from '../../api.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { formatNumber } from '../../words/format.js'
import { say } from '../../words/say.js'
import { conditionOf, facetsPath, type TableState } from './table-state.js'

export interface TableFacetsProps {
  table: TableRecord
  state: TableState
  onChange(changes: Partial<TableState>): void
}

/** What the columns of the rows hold that are shown. A click on a value filters by it, and another one no longer does. */
export function TableFacetsView({ table, state, onChange }: TableFacetsProps) {
  const path = facetsPath(table.name, state)
  const { value, error, reload } = useLoaded(`${path} ${table.rows}`, (signal) =>
    callApi<Facets>('GET', path, { signal }),
  )
  // While the values are counted anew, those before are shown: the one that was clicked keeps the focus.
  const last = useRef<Facets | undefined>(undefined)
  if (value) last.current = value
  const facets = last.current
  const toggle = (condition: string) => {
    const others = state.where.filter((each) => each !== condition)
    onChange({ where: others.length < state.where.length ? others : [...state.where, condition] })
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section id="facets" class="facets" tabIndex={0} aria-label={say('facets.title')} aria-busy={value === undefined}>
      {error !== undefined && <Failed error={error} onRetry={reload} />}
      {!facets && error === undefined && <Loading rows={3} />}
      {facets?.columns.map((column) => (
        <Facet
          key={column.name}
          column={column}
          rows={facets.rows}
          table={table}
          where={state.where}
          onToggle={toggle}
        />
      ))}
    </section>
  )
}

interface FacetProps {
  column: ColumnFacet
  /** All rows that match. */
  rows: number
  table: TableRecord
  where: readonly string[]
  onToggle(condition: string): void
}

function Facet({ column, rows, table, where, onToggle }: FacetProps) {
  const { name, missing, distinct, min, max } = column
  const values = listed(column)
  const value = (text: string, words: string, count: number) => (
    <FacetValue
      words={words}
      count={count}
      share={rows === 0 ? 0 : count / rows}
      condition={conditionOf(table.columns, name, text)}
      where={where}
      onToggle={onToggle}
    />
  )
  return (
    <section class="facet" aria-label={name}>
      <h3>{name}</h3>
      <p class="dim small">{say('facets.distinct', { count: distinct })}</p>
      {min !== null && distinct > 1 && (
        <p class="facet-range small">
          <bdi>{String(min)}</bdi> – <bdi>{String(max)}</bdi>
        </p>
      )}
      <ul class="facet-values">
        {values.map((each) => (
          <li key={String(each.value)}>{value(String(each.value), String(each.value), each.rows)}</li>
        ))}
        {missing > 0 && <li>{value('', say('table.missing'), missing)}</li>}
      </ul>
      {values.length > 0 && distinct > values.length && (
        <p class="dim small">{say('facets.more', { count: distinct - values.length })}</p>
      )}
    </section>
  )
}

/** None of a column whose values are all different: such a list says nothing. */
function listed({ values, distinct }: ColumnFacet) {
  if (values === null) return []
  return distinct <= values.length || values.some(({ rows }) => rows > 1) ? values : []
}

interface FacetValueProps {
  words: string
  count: number
  /** Of the rows, 0 to 1. */
  share: number
  /** undefined if no condition can say it. */
  condition: string | undefined
  where: readonly string[]
  onToggle(condition: string): void
}

function FacetValue({ words, count, share, condition, where, onToggle }: FacetValueProps) {
  const isChosen = condition !== undefined && where.includes(condition)
  const content = (
    <>
      <span class="facet-share" aria-hidden="true" style={{ width: `${share * 100}%` }} />
      <bdi>
        {isChosen && <Icon name="check" />}
        {words}
      </bdi>
      <span class="dim">{formatNumber(count)}</span>
    </>
  )
  if (condition === undefined) return <span class="facet-value">{content}</span>
  return (
    <button type="button" class="facet-value" title={words} aria-pressed={isChosen} onClick={() => onToggle(condition)}>
      {content}
    </button>
  )
}
