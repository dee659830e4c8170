import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Space } from '../files.js'
import { keptMark, metadataFolder, nameOfMetadata } from './metadata-paths.js'
import { missingAsEmpty, missingAsUndefined } from './missing.js'

/** The folders of an account that are kept while they are empty, with a slash at their ends; the empty ones and others. */
export async function readKeptFolders(root: { uploads: string; meta: string }, space: Space): Promise<string[]> {
  const kept: string[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries: string[] = await readdir(metadataFolder(root.meta, space, folder)).catch(missingAsEmpty)
    for (const entry of entries) {
      const name = nameOfMetadata(entry)
      if (name?.endsWith('/')) folders.push(folder + name)
    }
    if (folder === '' || !entries.includes(keptMark)) continue
    const path = join(root.uploads, space.role, space.username, folder)
    // It may have been removed by hand.
    if ((await lstat(path).catch(missingAsUndefined))?.isDirectory()) kept.push(folder)
  }
  return kept
}
