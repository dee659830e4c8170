import type { ComponentChildren } from 'preact'
import { formatBytes } from '../../../protocol/units.js'
import { Search } from '../../parts/search.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { address, goTo, hrefWith } from '../../router.js'
import { isRemoved } from '../../uploads/pending-removals.js'
import { say } from '../../words/say.js'
import type { ListedEntry } from './entries.js'
import { EntryList } from './entry-list.js'
import type { RowActions } from './entry-row.js'
import type { LevelPages } from './level-pages.js'
import type { FolderPlace } from './place.js'
import { type LevelWish, useLevel } from './use-level.js'

/** What the address says about the list of a folder. */
export function wishOf(place: FolderPlace): LevelWish {
  const { query } = address.value
  const sort = query.get('sort')
  return {
    place,
    sort: sort === 'size' || sort === 'date' ? sort : 'name',
    order: query.get('order') === 'desc' ? 'desc' : 'asc',
    search: query.get('search') ?? '',
  }
}

export interface FolderListing {
  wish: LevelWish
  level: LevelPages
  /** Without those that are being deleted; undefined until they are loaded. */
  entries: readonly ListedEntry[] | undefined
  /** The number of all entries, without those. */
  total: number
}

/** The list of the folder that is open. */
export function useListing(place: FolderPlace): FolderListing {
  const wish = wishOf(place)
  const { level, entries: loaded } = useLevel(wish)
  const entries = loaded?.filter((entry) => !isRemoved(entry))
  const totals = level.totals.value
  const hidden = (loaded?.length ?? 0) - (entries?.length ?? 0)
  const total = totals ? totals.files + totals.folders - hidden : (entries?.length ?? 0) + (level.hasMore.value ? 1 : 0)
  return { wish, level, entries, total: Math.max(total, entries?.length ?? 0) }
}

export interface FolderPanelProps extends RowActions {
  label: string
  listing: FolderListing
  /** Shown instead of entries if there are none. */
  none: ComponentChildren
  /** Shown next to the search field. */
  head?: ComponentChildren
}

/** The panel of a folder: search, totals, rows, and states. */
export function FolderPanel({ label, listing, none, head, ...actions }: FolderPanelProps) {
  const { wish, level, entries, total } = listing
  const error = level.error.value
  const isEmpty = level.entries.value?.length === 0
  return (
    <section class="panel folder" aria-label={label}>
      <header class="panel-head">
        <Search
          key={wish.place.api + wish.place.folder}
          label={say('files.search')}
          text={wish.search}
          onSearch={(search) => goTo(hrefWith({ search }), { replace: true })}
        />
        <Totals listing={listing} />
        {head}
      </header>
      {error !== undefined && !entries && <Failed error={error} onRetry={() => level.reload()} />}
      {!entries && error === undefined && <Loading />}
      {entries?.length === 0 && !isEmpty && level.entries.value && <p class="dim">{say('files.allRemoved')}</p>}
      {isEmpty && (wish.search ? <NothingFits search={wish.search} /> : none)}
      {entries && entries.length > 0 && (
        <EntryList label={label} wish={wish} level={level} entries={entries} total={total} {...actions} />
      )}
    </section>
  )
}

/** `2 folders, 12 files · 4.2 GiB`. */
function Totals({ listing: { wish, level, entries } }: { listing: FolderListing }) {
  const totals = level.totals.value
  if (!level.entries.value || !entries || entries.length === 0) return null
  if (!totals) {
    const count = entries.length
    if (wish.search === '') return null
    return <p class="totals dim">{say(level.hasMore.value ? 'files.foundMore' : 'files.found', { count })}</p>
  }
  const { folders, files, bytes } = totals
  const words = [
    folders > 0 && say('files.folders', { count: folders }),
    files > 0 && say('files.files', { count: files }),
  ].filter(Boolean)
  return (
    <p class="totals dim">{[words.join(', '), bytes !== null && formatBytes(bytes)].filter(Boolean).join(' · ')}</p>
  )
}

function NothingFits({ search }: { search: string }) {
  return (
    <Empty icon="search" title={say('files.nothingFits')}>
      {say('files.nothingFitsText', { search })}
    </Empty>
  )
}
