import type { LevelOrder } from '../folders.js'
import type { LevelPosition } from '../level-cursor.js'

/** The sorted entries of a level: positions in `names`. */
export interface SortedLevel {
  readonly folders: readonly number[]
  readonly files: readonly number[]
}

export interface LevelEntries {
  /** `name/` for a folder. */
  readonly names: readonly string[]
  /** The size or date of each name, or null to sort by name. */
  readonly ranks: Float64Array | null
}

/** Sorts those of `selected`, positions in the names, by which it must be sorted by code units already. */
export function sortLevel(entries: LevelEntries, selected: readonly number[], order: LevelOrder): SortedLevel {
  const { names } = entries
  const folders = selected.filter((at) => names[at]!.endsWith('/'))
  const files = selected.filter((at) => !names[at]!.endsWith('/'))
  return { folders: sort(folders, entries, order, true), files: sort(files, entries, order, false) }
}

/** The first position in the sorted entries after that of a previous page. */
export function positionAfter(
  sorted: readonly number[],
  { names, ranks }: LevelEntries,
  order: LevelOrder,
  position: LevelPosition,
): number {
  const wanted = position.rank ?? keyOf(position.name, order)
  const isAfter = (at: number) => {
    const own = position.rank === null ? keyOf(names[at]!, order) : ranks![at]!
    const difference = own === wanted ? compare(names[at]!, position.name) : compare(own, wanted)
    return isReversed(order, position.isFolder) ? difference < 0 : difference > 0
  }
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfter(sorted[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}

function sort(
  selected: number[],
  { names, ranks }: LevelEntries,
  order: LevelOrder,
  areFolders: boolean,
): readonly number[] {
  const isByName = areFolders || ranks === null
  if (isByName && (order.natural || order.ignoreCase)) {
    const keys = new Map(selected.map((at) => [at, keyOf(names[at]!, order)]))
    // Stable: equal keys stay sorted by code units.
    selected.sort((a, b) => compare(keys.get(a)!, keys.get(b)!))
  } else if (!isByName) selected.sort((a, b) => ranks[a]! - ranks[b]! || a - b)
  return isReversed(order, areFolders) ? selected.reverse() : selected
}

/** Folders are sorted by name: a size or date of files says nothing about them. */
function isReversed({ sort, order }: LevelOrder, areFolders: boolean): boolean {
  return order === 'desc' && (sort === 'name' || !areFolders)
}

/** Names in this order are sorted as their keys. */
function keyOf(name: string, { natural, ignoreCase }: LevelOrder): string {
  const text = ignoreCase ? name.toLowerCase() : name
  return natural ? text.replace(/\d+/g, withLength) : text
}

/** A longer number is a larger one. Its length sorts before and after the same characters as a digit does. */
function withLength(digits: string): string {
  const number = digits.replace(/^0+(?=\d)/, '')
  return `0${String.fromCharCode(number.length)}${number}`
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
