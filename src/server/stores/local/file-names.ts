import type { FolderNames } from './folder-names.js'

export interface NameQuery {
  prefix: string
  /** Only names after this one. */
  after: string
}

/**
 * The names of the files below a folder, sorted: a folder sorts as its name with a slash, the prefix of its files'
 * names. `read` returns the entries of a folder; `''` is the top one, `a/b/` one below.
 */
export function* namesBelow(
  read: (folder: string) => FolderNames,
  { prefix, after }: NameQuery,
  folder = '',
): Generator<string> {
  const keys = read(folder)
  const [restOfPrefix, restOfAfter] = [within(folder, prefix), within(folder, after)]
  const start = Math.max(startOf(keys, restOfPrefix), startOf(keys, restOfAfter))
  for (let at = start; at < keys.length; at++) {
    const key = keys[at]!
    const isFolder = key.endsWith('/')
    if (!key.startsWith(restOfPrefix) && !(isFolder && restOfPrefix.startsWith(key))) {
      if (key > restOfPrefix) return
      continue
    }
    if (isFolder) yield* namesBelow(read, { prefix, after }, folder + key)
    else if (folder + key > after) yield folder + key
  }
}

/**
 * The empty folders below a folder, sorted, as `namesBelow`: `prefix` names a folder, which counts too if it is empty.
 * Undefined for a folder that is not, so that the caller can yield to other work.
 */
export function* emptyFoldersBelow(
  read: (folder: string) => FolderNames,
  { prefix, after }: NameQuery,
  folder = prefix,
): Generator<string | undefined> {
  const keys = read(folder)
  yield keys.length === 0 && folder > after ? folder : undefined
  for (const key of keys) {
    const below = folder + key
    const isPast = below <= after && !after.startsWith(below)
    if (key.endsWith('/') && !isPast) yield* emptyFoldersBelow(read, { prefix, after }, below)
  }
}

/** The rest of a name after a folder in its path. */
function within(folder: string, name: string): string {
  return name.startsWith(folder) ? name.slice(folder.length) : ''
}

/** The first key that is not less than `name`, or the folder that leads to it. */
function startOf(keys: FolderNames, name: string): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < name) low = middle + 1
    else high = middle
  }
  const before = keys[low - 1]
  return before?.endsWith('/') && name.startsWith(before) ? low - 1 : low
}
