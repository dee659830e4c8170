import type { FileRecord } from '../../../protocol/files.js'
import type { FolderRecord } from '../../../protocol/folders.js'
import type { IconName } from '../../parts/icon.js'

/** A file, or a folder, whose name ends with a slash. */
export type ListedEntry = FileRecord | FolderRecord

export function isFolderEntry(entry: ListedEntry): entry is FolderRecord {
  return entry.name.endsWith('/')
}

/** The folder that holds it, with a slash at its end; empty at the top. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf('/', name.length - 2) + 1)
}

/** Its last segment, that of a folder without its slash. */
export function baseOf(name: string): string {
  return name.slice(folderOf(name).length).replace(/\/$/, '')
}

/** Where the ending of a file name begins, of which `.tar.gz` is one; its length if it has none. */
export function endingAt(base: string): number {
  const found = /(?<!^)(\.tar)?\.[^.\s]{1,10}$/i.exec(base)
  return found ? found.index : base.length
}

export function isTable({ name, type }: FileRecord): boolean {
  return /\.(csv|tsv)$/i.test(name) || type.startsWith('text/csv')
}

export function iconOf(entry: ListedEntry): IconName {
  if (isFolderEntry(entry)) return 'folder'
  return isTable(entry) ? 'table' : 'file'
}
