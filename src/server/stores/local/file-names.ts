import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { missingAsUndefined } from './regular-files.js'

/**
 * The names of regular files below `top`, sorted: a folder sorts as its name with a slash, which is how its files' names
 * go on. Symbolic links are left out.
 */
export async function* namesBelow(top: string, folder: string, prefix: string, after: string): AsyncGenerator<string> {
  const entries = await readdir(join(top, folder), { withFileTypes: true }).catch(missingAsUndefined)
  const keys = (entries ?? [])
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => folder + (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort(byCodeUnits)
  for (const key of keys) {
    if (key.endsWith('/')) {
      const mayHold = (key.startsWith(prefix) || prefix.startsWith(key)) && (key > after || after.startsWith(key))
      if (mayHold) yield* namesBelow(top, key, prefix, after)
    } else if (key.startsWith(prefix) && key > after) yield key
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
