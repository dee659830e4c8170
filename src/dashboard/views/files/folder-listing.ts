import { useEffect, useMemo } from 'preact/hooks'
import { address } from '../../router.js'
import { isRemoved } from '../../uploads/pending-removals.js'
import type { ListedEntry } from './entries.js'
import type { LevelPages } from './level-pages.js'
import type { FolderPlace } from './place.js'
import { EntrySelection } from './selection.js'
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
  selection: EntrySelection
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
  const selection = useMemo(() => new EntrySelection(), [place.api, place.folder, wish.search])
  useEffect(() => {
    const names = new Set(entries?.map(({ name }) => name))
    if (entries) selection.keepOnly((name) => names.has(name))
  })
  return { selection, wish, level, entries, total: Math.max(total, entries?.length ?? 0) }
}
