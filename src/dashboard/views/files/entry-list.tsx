import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { Icon } from '../../parts/icon.js'
import { useMedia } from '../../parts/media.js'
import { useWindowRows } from '../../parts/window-rows.js'
import { hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import type { ListedEntry } from './entries.js'
import { EntryRow, type RowActions } from './entry-row.js'
import type { FolderListing } from './folder-listing.js'
import type { LevelWish, SortColumn } from './use-level.js'

export interface EntryListProps extends RowActions {
  label: string
  listing: FolderListing
  /** Those that were loaded, without the ones that are being deleted. */
  entries: readonly ListedEntry[]
}

/** The rows of a folder: only those in sight are rendered, and loaded. */
export function EntryList({ label, listing, entries, ...actions }: EntryListProps) {
  const { wish, level, total, selection } = listing
  const body = useRef<HTMLDivElement>(null)
  const isNarrow = useMedia('(max-width: 44rem)')
  const rowHeight = isNarrow ? 56 : 36
  const { first, end } = useWindowRows(body, total, rowHeight)
  useEffect(() => level.want(first, end), [level, first, end])
  const rows = Array.from({ length: Math.max(0, end - first) }, (_, index) => first + index)
  const chosen = selection.chosen.value
  const active = selection.active.value
  const activeRow = active === null ? -1 : entries.findIndex(({ name }) => name === active)
  // Exactly one row is reached by Tab.
  const tabRow = activeRow >= first && activeRow < end ? activeRow : first

  useLayoutEffect(() => {
    const list = body.current
    // The next key may have come before this.
    if (!selection.focusWanted.value || activeRow < 0 || !list || selection.active.peek() !== active) return
    showRow(list, activeRow, rowHeight)
    const row = [...list.children].find((child) => (child as HTMLElement).dataset.file === active)
    if (!(row instanceof HTMLElement)) return
    row.focus({ preventScroll: true })
    selection.focusWanted.value = false
  }, [selection.focusWanted.value, activeRow, active, first, end])

  return (
    <div
      class={`entries${chosen.size > 0 ? ' has-chosen' : ''}`}
      role="grid"
      aria-label={label}
      aria-rowcount={total + 1}
      aria-multiselectable="true"
    >
      <div role="rowgroup" class="entries-head">
        <div role="row" class="entry-row" aria-rowindex={1}>
          <span role="columnheader" class="entry-tick">
            <span class="hidden">{say('files.ticked')}</span>
          </span>
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
            isChosen={chosen.has(entries[row]?.name ?? '')}
            isTabStop={row === tabRow}
            {...actions}
          />
        ))}
      </div>
    </div>
  )
}

/** Scrolls the page so far that the row is seen, below what sticks to the top. */
function showRow(list: HTMLElement, row: number, rowHeight: number): void {
  const top = list.getBoundingClientRect().top + row * rowHeight
  if (top < headHeight) scrollBy(0, top - headHeight)
  else if (top + rowHeight > innerHeight - footHeight) scrollBy(0, top + rowHeight - innerHeight + footHeight)
}

const headHeight = 120
const footHeight = 80

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
