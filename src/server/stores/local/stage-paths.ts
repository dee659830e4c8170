import { join } from 'node:path'
import type { Space } from '../files.js'
import { spaceFolder } from './file-paths.js'
import { metadataFolder } from './metadata-paths.js'

/** The folders of a stage in `partial/`: files and metadata lie there as they will in `uploads/` and `meta/`. */
export interface StageFolders {
  root: string
  uploads: string
  meta: string
  /** What the publish replaces. */
  removed: string
  journal: string
}

export function stageFolders(partial: string, id: string): StageFolders {
  const root = join(partial, `${id}${stageEnding}`)
  return {
    root,
    uploads: join(root, 'files'),
    meta: join(root, 'metadata'),
    removed: join(root, 'removed'),
    journal: join(root, 'journal.json'),
  }
}

/** The id of the stage in a folder with this name; undefined for anything else. */
export function stageIdOf(name: string): string | undefined {
  return name.endsWith(stageEnding) ? name.slice(0, -stageEnding.length) : undefined
}

/** The folders of files and of their metadata; `prefix` is empty or ends with a slash. */
export function treesOf(root: { uploads: string; meta: string }, space: Space, prefix: string): [string, string] {
  return [join(spaceFolder(root.uploads, space), prefix).replace(/\/$/, ''), metadataFolder(root.meta, space, prefix)]
}

const stageEnding = '.stage'
