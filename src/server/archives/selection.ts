import { Problem } from '../../protocol/problems.js'
import { damagedFile } from '../stores/damage.js'
import type { PublishedFiles, Space, StoredFile } from '../stores/files.js'
import type { Member } from './archive-writer.js'

/** What an archive holds: files, and folders with everything in them. */
export interface Selection {
  space: Space
  names: readonly string[]
  /** Folders, with a slash at the end; `''` is the whole space. */
  prefixes: readonly string[]
  /** The beginning of every name that its name in the archive lacks. */
  base: string
}

/** A member of an archive, and its file; null for an empty folder. */
export interface Entry {
  member: Member
  file: StoredFile | null
}

export type SelectableFiles = Pick<PublishedFiles, 'findMany' | 'list' | 'listEmptyFolders' | 'measure'>

/** One folder: its members are below its last segment. */
export function selectFolder(space: Space, prefix: string): Selection {
  return { space, names: [], prefixes: [prefix], base: prefix.slice(0, prefix.lastIndexOf('/', prefix.length - 2) + 1) }
}

/** Files and folders by their full names, each once. */
export function selectNames(space: Space, chosen: readonly string[]): Selection {
  const folders = new Set(chosen.filter(isFolderName))
  const prefixes = [...folders].filter((folder) => !isBelow(folder, folders))
  const names = [...new Set(chosen)].filter((name) => !isFolderName(name) && !isBelow(name, folders))
  return { space, names, prefixes, base: '' }
}

/** The innermost folder that holds all of them, with a slash at the end; `''` for the whole space. */
export function commonFolder(names: readonly string[]): string {
  const [first = ''] = names
  let folder = first.slice(0, first.lastIndexOf('/') + 1)
  while (!names.every((name) => name.startsWith(folder))) {
    folder = folder.slice(0, folder.lastIndexOf('/', folder.length - 2) + 1)
  }
  return folder
}

/** Throws `file-not-found` for what does not exist, and `file-damaged`. */
export async function checkSelection(files: SelectableFiles, { space, names, prefixes }: Selection): Promise<void> {
  for (const prefix of prefixes) {
    const first = { prefix, after: '', limit: 1 }
    const [file] = await files.list(space, first)
    if (!file && (await files.listEmptyFolders(space, first)).length === 0) throw noFolder(prefix)
  }
  for (const page of pagesOf(names)) {
    for (const file of await findPage(files, space, page)) if (file.damaged) throw damagedFile(file.name)
  }
}

/** Pages of entries: of each folder its empty folders, then its files by name. Memory does not depend on their number. */
export async function* entriesOf(files: SelectableFiles, selection: Selection): AsyncGenerator<Entry[]> {
  const { space, names, prefixes, base } = selection
  for (const prefix of prefixes) {
    for await (const page of pages((after) => files.listEmptyFolders(space, { prefix, after, limit }), String)) {
      yield page.map((name) => folderEntry(name.slice(base.length)))
    }
    for await (const page of pages(
      (after) => files.list(space, { prefix, after, limit }),
      ({ name }) => name,
    )) {
      yield page.map((file) => fileEntry(file, base))
    }
  }
  for (const page of pagesOf(names)) {
    yield (await findPage(files, space, page)).map((file) => fileEntry(file, base))
  }
}

/** The number of files and of their bytes. */
export async function measureSelection(
  files: SelectableFiles,
  { space, names, prefixes }: Selection,
): Promise<{ files: number; bytes: number }> {
  const total = { files: names.length, bytes: 0 }
  for (const prefix of prefixes) {
    const below = await files.measure(space, prefix)
    total.files += below.files
    total.bytes += below.bytes
  }
  for (const page of pagesOf(names)) {
    for (const file of await files.findMany(space, page)) total.bytes += file?.size ?? 0
  }
  return total
}

export function fileEntry(file: StoredFile, base: string): Entry {
  const { name, size, lastModified, sha256, type } = file
  return { member: { name: name.slice(base.length), size, modifiedAt: lastModified, sha256, type }, file }
}

function folderEntry(name: string): Entry {
  return { member: { name, size: 0, modifiedAt: null, sha256: null, type: '' }, file: null }
}

function isFolderName(name: string): boolean {
  return name === '' || name.endsWith('/')
}

/** Also below a folder that lies in one of these. */
function isBelow(name: string, folders: ReadonlySet<string>): boolean {
  if (name !== '' && folders.has('')) return true
  // The folders above it, of which there are few: there may be as many folders as names.
  for (let slash = name.indexOf('/'); slash >= 0 && slash < name.length - 1; slash = name.indexOf('/', slash + 1)) {
    if (folders.has(name.slice(0, slash + 1))) return true
  }
  return false
}

/** Lists the next page while the files of the last one are read. */
async function* pages<T>(list: (after: string) => Promise<T[]>, nameOf: (item: T) => string): AsyncGenerator<T[]> {
  let next: Promise<T[]> | null = list('')
  while (next) {
    const page: T[] = await next
    next = page.length < limit ? null : list(nameOf(page.at(-1)!))
    // Prevents an unhandled rejection: it is awaited later, unless the archive ends before.
    next?.catch(() => {})
    yield page
  }
}

function* pagesOf(names: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < names.length; at += limit) yield names.slice(at, at + limit)
}

async function findPage(files: SelectableFiles, space: Space, names: readonly string[]): Promise<StoredFile[]> {
  const found = await files.findMany(space, names)
  return found.map((file, index) => {
    const name = names[index]!
    if (!file) throw new Problem('file-not-found', `There is no file "${name}".`, { name })
    return file
  })
}

function noFolder(prefix: string): Problem {
  const message = prefix === '' ? 'There are no files.' : `There is no folder "${prefix}".`
  return new Problem('file-not-found', message, { name: prefix })
}

const limit = 1000
