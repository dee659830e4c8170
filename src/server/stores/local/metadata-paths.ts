import { join } from 'node:path'
import type { Space } from '../files.js'

/**
 * The metadata file of a name. `meta/` has the same folders as `uploads/`, so that a folder is moved by two renames.
 * The endings keep the metadata of a file `a` apart from a folder `a.json`.
 */
export function metadataPath(meta: string, space: Space, name: string): string {
  const slash = name.lastIndexOf('/') + 1
  return metadataInFolder(metadataFolder(meta, space, name.slice(0, slash)), name.slice(slash))
}

/** `folder` is the path of its metadata folder, `segment` the name without the folder. */
export function metadataInFolder(folder: string, segment: string): string {
  return `${folder}/${segment}${fileEnding}`
}

/** The folder with the metadata of a folder's files: `folder` is `''` or ends with a slash. */
export function metadataFolder(meta: string, { role, username }: Space, folder: string): string {
  return join(meta, role, username, namesFolder, folder.replaceAll('/', `${folderEnding}/`)).replace(/\/$/, '')
}

/** The name that an entry of a metadata folder stands for: a folder's ends with a slash. Undefined for other entries. */
export function nameOfMetadata(entry: string): string | undefined {
  if (entry.endsWith(folderEnding)) return `${entry.slice(0, -folderEnding.length)}/`
  return entry.endsWith(fileEnding) ? entry.slice(0, -fileEnding.length) : undefined
}

/** In the metadata folder of a folder that is kept while it is empty. It has none of the endings below. */
export const keptMark = 'kept'
/** Earlier versions had one flat folder beside it. */
const namesFolder = 'names'
const folderEnding = '.d'
const fileEnding = '.json'
