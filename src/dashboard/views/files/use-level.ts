import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { FileList } from '../../../protocol/files.js'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { me } from '../../account.js'
import { callApi } from '../../api.js'
import { healed } from '../../live/shared-stream.js'
import type { ListedEntry } from './entries.js'
import { type LevelAnswer, LevelPages, type LoadLevel } from './level-pages.js'
import type { FolderPlace } from './place.js'

export type SortColumn = 'name' | 'size' | 'date'

/** What of a folder is listed, and how. */
export interface LevelWish {
  place: FolderPlace
  sort: SortColumn
  order: 'asc' | 'desc'
  /** What the names contain; then files at all depths are listed, sorted by name. */
  search: string
}

/** The last opened ones, so that Back shows them at once. */
const known = new Map<string, LevelPages>()
const mostKnown = 10
me.subscribe(() => known.clear())

/** The listing of a folder, loaded as it is seen, and watched for changes. */
export function useLevel(wish: LevelWish): { level: LevelPages; entries: readonly ListedEntry[] | undefined } {
  const { place, sort, order, search } = wish
  const key = JSON.stringify([place.api, place.folder, sort, order, search])
  const level = useMemo(() => {
    const found = known.get(key) ?? new LevelPages(search ? loadFound(wish) : loadSorted(wish))
    known.delete(key)
    known.set(key, found)
    for (const oldest of known.keys()) if (known.size > mostKnown) known.delete(oldest)
    return found
  }, [key])
  useEffect(() => {
    level.resume()
    const look = () => {
      if (document.visibilityState === 'visible' && !level.isLoading) level.reload()
    }
    const timer = setInterval(look, watchEveryMs)
    document.addEventListener('visibilitychange', look)
    return () => {
      level.pause()
      clearInterval(timer)
      document.removeEventListener('visibilitychange', look)
    }
  }, [level])
  const before = useRef(healed.value)
  useEffect(() => {
    if (before.current !== healed.value) level.reload()
    before.current = healed.value
  }, [healed.value])
  // Keeps the rows until the next response: without them the list would collapse at each keystroke.
  const shown = useRef<{ folder: string; entries: readonly ListedEntry[] } | null>(null)
  const entries = level.entries.value
  if (entries) shown.current = { folder: place.api + place.folder, entries }
  const isSame = shown.current?.folder === place.api + place.folder
  const kept = isSame && level.error.value === undefined && shown.current!.entries.length > 0
  return { level, entries: entries ?? (kept ? shown.current!.entries : undefined) }
}

function loadSorted({ place, sort, order }: LevelWish): LoadLevel {
  const query = { delimiter: '/', prefix: place.folder, sort, order, natural: 1, ignoreCase: 1, limit: pageSize }
  return (cursor, signal) => callApi<FolderLevelList>('GET', place.api, { query: { ...query, cursor }, signal })
}

/** Files at all depths, and the folders of this one. */
function loadFound({ place, search }: LevelWish): LoadLevel {
  const wanted = search.toLowerCase()
  return async (cursor, signal): Promise<LevelAnswer> => {
    const query = { prefix: place.folder, search, limit: pageSize }
    const level = { ...query, delimiter: '/', natural: 1, ignoreCase: 1 }
    const [{ files, next }, { folders }] = await Promise.all([
      callApi<FileList>('GET', place.api, { query: { ...query, cursor }, signal }),
      cursor === undefined
        ? callApi<FolderLevelList>('GET', place.api, { query: level, signal })
        : { folders: [] as FolderLevelList['folders'] },
    ])
    // The folder in which is searched contains it in every name.
    const inside = files.filter(({ name }) => name.slice(place.folder.length).toLowerCase().includes(wanted))
    return { files: inside, folders, next, totals: null }
  }
}

const pageSize = 500
const watchEveryMs = 5000
