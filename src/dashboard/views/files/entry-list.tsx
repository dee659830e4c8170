import { useEffect, useRef } from 'preact/hooks'
import { Icon } from '../../parts/icon.js'
import { useMedia } from '../../parts/media.js'
import { useWindowRows } from '../../parts/window-rows.js'
import { hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import type { ListedEntry } from './entries.js'
import { EntryRow, type RowActions } from './entry-row.js'
import type { LevelPages } from './level-pages.js'
import type { LevelWish, SortColumn } from './use-level.js'

export interface EntryListProps extends RowActions {
  label: string
  wish: LevelWish
  level: LevelPages
  /** Those that were loaded, without the ones that are being deleted. */
  entries: readonly ListedEntry[]
  /** Of all entries, as far as it is known. */
  total: number
}

/** The rows of a folder: only those in sight are rendered, and loaded. */
export function EntryList({ label, wish, level, entries, total, ...actions }: EntryListProps) {
  const body = useRef<HTMLDivElement>(null)
  const isNarrow = useMedia('(max-width: 44rem)')
  const rowHeight = isNarrow ? 56 : 36
  const { first, end } = useWindowRows(body, total, rowHeight)
  useEffect(() => level.want(first, end), [level, first, end])
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
  return (
    // Not a table of HTML, which would render all rows.
    <div class="entries" role="table" aria-label={label} aria-rowcount={total + 1}>
      <div role="rowgroup" class="entries-head">
        <div role="row" class="entry-row" aria-rowindex={1}>
          <SortHead wish={wish} by="name" />
          <SortHead wish={wish} by="size" />
          <SortHead wish={wish} by="date" />
          <span role="columnheader" class="entry-menu">
            <span class="hidden">{say('files.actions')}</span>
          </span>
        </div>
      </div>
      <div ref={body} role="rowgroup" class="entries-body" style={{ height: `${total * rowHeight}px` }}>
        {rows.map((row) => (
          <EntryRow
            key={entries[row]?.name ?? row}
            row={row}
            top={row * rowHeight}
            entry={entries[row]}
            place={wish.place}
            isFound={wish.search !== ''}
            {...actions}
          />
        ))}
      </div>
    </div>
  )
}

/** A column's name, which sorts by it; once more: the other way round. What is found is sorted by name. */
function SortHead({ wish: { sort, order, search }, by }: { wish: LevelWish; by: SortColumn }) {
  const isSorted = sort === by && search === ''
  const next = isSorted && order === 'asc' ? 'desc' : 'asc'
  const href = hrefWith({ sort: by === 'name' ? '' : by, order: next === 'asc' ? '' : 'desc' })
  const words = say(sortWords[by])
  return (
    <span
      role="columnheader"
      class={`entry-${by}`}
      {...(isSorted ? { 'aria-sort': order === 'asc' ? 'ascending' : 'descending' } : {})}
    >
      {search === '' ? (
        <a href={href}>
          {words}
          {isSorted && <Icon name={order === 'asc' ? 'up' : 'down'} />}
        </a>
      ) : (
        words
      )}
    </span>
  )
}

const sortWords = { name: 'files.name', size: 'files.size', date: 'files.changed' } as const
