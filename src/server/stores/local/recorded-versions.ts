import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Space } from '../files.js'
import { parseVersions, type Version } from './file-description.js'
import { metadataFolder, nameOfMetadata } from './metadata-paths.js'
import { missingAsEmpty } from './missing.js'

/**
 * The metadata in `meta/` of an account's files, by name, and the metadata files that describe no version. One that is empty,
 * or has zeros only, was created before a crash, and never written: it is as good as missing.
 */
export async function readRecordedVersions(
  meta: string,
  space: Space,
): Promise<{ versions: Map<string, Version[]>; unreadable: { name: string; path: string }[] }> {
  const versions = new Map<string, Version[]>()
  const unreadable: { name: string; path: string }[] = []
  const folders = ['']
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = metadataFolder(meta, space, folder)
    for (const entry of await readdir(path).catch(missingAsEmpty)) {
      const name = nameOfMetadata(entry)
      if (name === undefined) continue
      if (name.endsWith('/')) folders.push(folder + name)
      else {
        const text = await readFile(join(path, entry), 'utf8').catch(() => undefined)
        if (text !== undefined && /^\0*$/.test(text)) continue
        const known = parseVersions(text ?? '')
        if (known.length === 0) unreadable.push({ name: folder + name, path: join(path, entry) })
        else versions.set(folder + name, known)
      }
    }
  }
  return { versions, unreadable }
}
