import type { Api } from '../client/api.js'
import type { FileRecord } from '../protocol/files.js'
import type { FolderLevelList, FolderRecord } from '../protocol/folders.js'
import { parsePublished, routes } from '../protocol/routes.js'

export interface LevelOptions {
  sort?: 'name' | 'size' | 'date'
  reverse?: boolean
}

/** All entries of one level: the folders first. */
export interface ListedLevel {
  folders: FolderRecord[]
  files: FileRecord[]
  totals: FolderLevelList['totals']
}

/** One level of one's own files: `prefix` is `''`, or a folder with a slash, or that and a prefix of the names in it. */
export async function readLevel(api: Api, prefix: string, { sort, reverse }: LevelOptions = {}): Promise<ListedLevel> {
  const level: ListedLevel = { folders: [], files: [], totals: { files: 0, folders: 0, bytes: 0 } }
  let cursor: string | undefined
  do {
    const query = { delimiter: '/', prefix, limit: pageSize, sort, order: reverse ? 'desc' : undefined, cursor }
    const page = await api.send<FolderLevelList>('GET', routes.files, { query })
    level.folders.push(...page.folders)
    level.files.push(...page.files)
    level.totals = page.totals
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  return level
}

/** Whether there is a folder of this name, with or without a slash at its end. */
export async function isRemoteFolder(api: Api, name: string): Promise<boolean> {
  if (name === '' || parsePublished(name)) return false
  const folder = name.endsWith('/') ? name : `${name}/`
  // In the folder above: an empty one has no entries of its own.
  const query = { delimiter: '/', prefix: folder.slice(0, -1), limit: 1000 }
  const { folders } = await api.send<FolderLevelList>('GET', routes.files, { query })
  return folders.some((each) => each.name === folder)
}

const pageSize = 1000
