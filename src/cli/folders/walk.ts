import { type Dirent, existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../exit-codes.js'
import type { NameFilter } from './name-filter.js'

/** A regular file, in the state in which it was found. */
export interface LocalFile extends FileTimes {
  readonly name: string
  readonly path: string
}

/** Differs whenever the content may differ. The times are numbers, exact to a microsecond: bigints are slower to read. */
export interface FileTimes {
  /** Bytes. */
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  readonly ino: number
}

/** What a walk finds, in the order of the names. */
export type Found =
  | { readonly kind: 'file'; readonly file: LocalFile }
  /** A symbolic link or special file. */
  | { readonly kind: 'skipped'; readonly name: string; readonly path: string }
  /** The name of a folder that cannot be read ends with a slash. */
  | { readonly kind: 'failed'; readonly name: string; readonly path: string; readonly error: unknown }

/** Where a walk starts. */
export interface WalkedFolder {
  readonly path: string
  /** The prefix of all names in it; ends with a slash. */
  readonly prefix: string
}

/** A folder that was read. */
export interface LocalFolder {
  /** Ends with a slash. */
  readonly name: string
  readonly path: string
  /** Whether it has no entries at all. */
  readonly isEmpty: boolean
}

/**
 * Finds all files below a folder, sorted by name (by UTF-16 code units, like the server), many at a time. Names are NFC.
 * Entries that cannot be read fail alone. Calls `onFolder` with each folder before its contents. Synchronous, because for
 * many small files promises take longer than the calls.
 */
export function* walkFolder(
  { path, prefix }: WalkedFolder,
  filter: NameFilter,
  onFolder: (folder: LocalFolder) => void = () => {},
): Generator<Found[]> {
  const walk = { prefix, filter, onFolder, batch: [] }
  yield* walkBelow(path, '', walk)
  if (walk.batch.length > 0) yield walk.batch
}

/** Reads the current state of one file. Throws if it cannot be read. */
export function localFile(path: string, name: string): LocalFile {
  const { size, mtimeMs, ctimeMs, ino } = lstatSync(path)
  return { name, path, size, mtimeMs, ctimeMs, ino }
}

/** The fields that `isSameState` compares. */
export function timesOf({ size, mtimeMs, ctimeMs, ino }: FileTimes): FileTimes {
  return { size, mtimeMs, ctimeMs, ino }
}

/** Whether the content is unchanged, as far as size, times and inode tell. */
export function isSameState(a: FileTimes, b: FileTimes): boolean {
  return a.size === b.size && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs && a.ino === b.ino
}

interface Walk {
  readonly prefix: string
  readonly filter: NameFilter
  readonly onFolder: (folder: LocalFolder) => void
  /** Found, but not yielded yet. */
  batch: Found[]
}

function* walkBelow(folder: string, relative: string, walk: Walk): Generator<Found[]> {
  const { prefix, filter } = walk
  let entries: Entry[]
  try {
    entries = readdirSync(folder, { withFileTypes: true }).map(entryOf).sort(byKey)
  } catch (error) {
    walk.batch.push({ kind: 'failed', name: prefix + relative, path: folder, error })
    return
  }
  walk.onFolder({ name: prefix + relative, path: folder, isEmpty: entries.length === 0 })
  const taken = new Map<string, string>()
  const start = join(folder, 'x').slice(0, -1)
  for (const entry of entries) {
    const below = relative + entry.key
    if (!filter.admits(below)) continue
    const path = start + entry.dirent.name
    const name = prefix + below
    const other = taken.get(entry.name)
    taken.set(entry.name, entry.dirent.name)
    if (other !== undefined) walk.batch.push({ kind: 'failed', name, path, error: double(other, path) })
    else if (isUnreadable(path)) walk.batch.push({ kind: 'failed', name, path, error: notUnicode(path) })
    else if (entry.dirent.isDirectory()) yield* walkBelow(path, below, walk)
    else if (entry.dirent.isFile()) walk.batch.push(found(path, name))
    else walk.batch.push({ kind: 'skipped', name, path })
    if (walk.batch.length < batchFiles) continue
    yield walk.batch
    walk.batch = []
  }
}

interface Entry {
  readonly dirent: Dirent
  readonly name: string
  /** The sort key: a folder sorts as the prefix of its contents. */
  readonly key: string
}

function entryOf(dirent: Dirent): Entry {
  const name = dirent.name.normalize('NFC')
  return { dirent, name, key: dirent.isDirectory() ? `${name}/` : name }
}

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : a.key === b.key ? 0 : 1
}

function found(path: string, name: string): Found {
  try {
    return { kind: 'file', file: localFile(path, name) }
  } catch (error) {
    return { kind: 'failed', name, path, error }
  }
}

/** A name that is not UTF-8 contains replacement characters and cannot be opened. */
function isUnreadable(path: string): boolean {
  return path.includes('\ufffd') && !existsSync(path)
}

function notUnicode(path: string): Failure {
  return new Failure('wrongUse', `${path}: the name is not valid UTF-8. Rename it, or upload it by itself with --name.`)
}

function double(other: string, path: string): Failure {
  return new Failure('wrongUse', `${path} and "${other}" differ only in the Unicode form of their names: rename one.`)
}

/** Large enough to make the cost per batch negligible. */
const batchFiles = 512
