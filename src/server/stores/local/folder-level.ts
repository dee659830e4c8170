import { lstatSync } from 'node:fs'
import { faultOfName } from '../../../protocol/file-name.js'
import type { Space, StoredFile } from '../files.js'
import type { Level, LevelQuery, StoredFolder } from '../folders.js'
import { formatCursor, type LevelPosition } from '../level-cursor.js'
import { type DescribedFiles, whenThere } from './described-files.js'
import type { FolderCount, FolderCounts } from './folder-counts.js'
import type { FolderIndex } from './folder-names.js'
import { type LevelEntries, positionAfter, type SortedLevel, sortLevel } from './level-order.js'

export interface FolderLevelQuery extends Omit<LevelQuery, 'cursor'> {
  after: LevelPosition | null
}

export interface FolderLevelServices {
  uploads: string
  index: FolderIndex
  counts: FolderCounts
  files: DescribedFiles
  /** Completes the count of a folder after the response. */
  countLater(path: string, work: Generator<void, unknown>): void
}

/** Reads pages of one level of an account's folders. Synchronous, in slices: for a worker thread. */
export class FolderLevels {
  readonly #services: FolderLevelServices
  /** The sorted entries of whole folders, by the order, as long as the index keeps their names. */
  readonly #sorted = new WeakMap<readonly string[], Map<string, SortedLevel>>()

  constructor(services: FolderLevelServices) {
    this.#services = services
  }

  *read(space: Space, query: FolderLevelQuery, since: number): Generator<void, Level> {
    const { uploads, files } = this.#services
    const top = `${uploads}/${space.role}/${space.username}`
    const folder = query.prefix.slice(0, query.prefix.lastIndexOf('/') + 1)
    if (!isReached(uploads, space, folder)) return nothing
    const path = `${top}/${folder}`.slice(0, -1)
    const { entries, selected, sorted } = yield* this.#select(path, folder, query, since)
    const { names, ranks } = entries
    const page = levelPageOf(sorted, entries, query)
    const found: StoredFile[] = []
    for (const at of page.files) {
      const name = folder + names[at]!
      const file = faultOfLong(name) ? undefined : files.find(space, name)
      if (file) found.push(file)
    }
    const deadline = performance.now() + countingMs
    const folders = page.folders.flatMap((at): StoredFolder[] => {
      const below = `${path}/${names[at]!.slice(0, -1)}`
      const stats = whenThere(() => lstatSync(below))
      if (!stats?.isDirectory()) return []
      const count = this.#count(below, folder + names[at]! === '', since, deadline)
      const modifiedAt = new Date(stats.mtimeMs).toISOString()
      return [{ name: folder + names[at]!, files: count?.files ?? null, bytes: count?.bytes ?? null, modifiedAt }]
    })
    const last = page.last
    return {
      folders,
      files: found,
      totals: {
        files: sorted.files.length,
        folders: sorted.folders.length,
        bytes: this.#bytes(path, folder, entries, selected, since, deadline),
      },
      next:
        last === undefined
          ? null
          : formatCursor({
              isFolder: names[last]!.endsWith('/'),
              name: names[last]!,
              rank: names[last]!.endsWith('/') ? null : (ranks?.[last] ?? null),
            }),
    }
  }

  *#select(path: string, folder: string, query: FolderLevelQuery, since: number) {
    const { index, counts } = this.#services
    const isTop = folder === ''
    const stats = query.sort === 'name' ? null : yield* counts.stats(path, isTop, since)
    const names = stats?.names ?? index.read(path, isTop, since)
    const ranks = stats && (query.sort === 'size' ? stats.sizes : stats.times)
    const entries: LevelEntries = { names, ranks }
    const rest = query.prefix.slice(folder.length)
    const wanted = query.search.toLowerCase()
    if (rest === '' && wanted === '') return { entries, selected: null, sorted: this.#sortAll(entries, query) }
    const isWanted = (name: string) =>
      name.startsWith(rest) && (wanted === '' || name.toLowerCase().replace(/\/$/, '').includes(wanted))
    const selected = [...names.keys()].filter((at) => isWanted(names[at]!))
    return { entries, selected, sorted: sortLevel(entries, selected, query) }
  }

  #sortAll(entries: LevelEntries, { sort, order, natural, ignoreCase }: FolderLevelQuery): SortedLevel {
    const key = [sort, order, natural, ignoreCase].join()
    const known = this.#sorted.get(entries.names) ?? new Map<string, SortedLevel>()
    this.#sorted.set(entries.names, known)
    const sorted = known.get(key) ?? sortLevel(entries, [...entries.names.keys()], { sort, order, natural, ignoreCase })
    known.set(key, sorted)
    return sorted
  }

  #bytes(
    path: string,
    folder: string,
    { names }: LevelEntries,
    selected: readonly number[] | null,
    since: number,
    deadline: number,
  ): number | null {
    const isTop = folder === ''
    if (selected === null) return this.#count(path, isTop, since, deadline)?.bytes ?? null
    const { counts } = this.#services
    const own = this.#runUntil(path, counts.stats(path, isTop, since), deadline)
    if (!own) return null
    let bytes = 0
    for (const at of selected) {
      const name = names[at]!
      const below = name.endsWith('/') ? this.#count(`${path}/${name.slice(0, -1)}`, false, since, deadline) : undefined
      if (name.endsWith('/') && !below) return null
      bytes += below?.bytes ?? own.sizes[at] ?? 0
    }
    return bytes
  }

  /** What can be counted until the deadline, or was counted before; the rest is counted later. */
  #count(path: string, isTop: boolean, since: number, deadline: number): FolderCount | undefined {
    const { counts } = this.#services
    return this.#runUntil(path, counts.count(path, isTop, since), deadline) ?? counts.last(path)
  }

  #runUntil<T>(path: string, work: Generator<void, T>, deadline: number): T | undefined {
    do {
      const step = work.next()
      if (step.done) return step.value
    } while (performance.now() < deadline)
    this.#services.countLater(path, work)
    return undefined
  }
}

/** Folders before files; `last` is the last entry if there are more. */
export function levelPageOf({ folders, files }: SortedLevel, entries: LevelEntries, query: FolderLevelQuery) {
  const { after, limit } = query
  const firstFolder = !after ? 0 : after.isFolder ? positionAfter(folders, entries, query, after) : folders.length
  const firstFile = !after || after.isFolder ? 0 : positionAfter(files, entries, query, after)
  const pageFolders = folders.slice(firstFolder, firstFolder + limit)
  const pageFiles = files.slice(firstFile, firstFile + limit - pageFolders.length)
  const rest = folders.length - firstFolder + files.length - firstFile
  const shown = pageFolders.length + pageFiles.length
  return {
    folders: pageFolders,
    files: pageFiles,
    last: rest > shown ? [...pageFolders, ...pageFiles].at(-1) : undefined,
  }
}

/** Whether the folder's name is valid and no folder of its path is a link. */
function isReached(uploads: string, { role, username }: Space, folder: string): boolean {
  if (folder !== '' && faultOfName(folder.slice(0, -1)) !== undefined) return false
  let path = uploads
  return [role, username, ...folder.split('/').slice(0, -1)].every((segment) => {
    path += `/${segment}`
    return whenThere(() => lstatSync(path))?.isDirectory() ?? false
  })
}

function faultOfLong(name: string): string | undefined {
  return name.length > longName ? faultOfName(name) : undefined
}

const nothing: Level = { folders: [], files: [], totals: { files: 0, folders: 0, bytes: 0 }, next: null }
/** Shorter names cannot exceed the limit, and their segments were checked. */
export const longName = 300
/** How long a response waits for counts. */
const countingMs = 25
