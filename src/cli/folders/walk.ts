import { type Dirent, existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../exit-codes.js'
import type { NameFilter } from './name-filter.js'

/** A regular file, as it was when it was found. */
export interface LocalFile extends FileTimes {
  readonly name: string
  readonly path: string
}

/** What differs if the content of a file may differ. */
export interface FileTimes {
  /** Bytes. */
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly ino: bigint
}

/** What a walk finds, in the order of the names. */
export type Found =
  | { readonly kind: 'file'; readonly file: LocalFile }
  /** A symbolic link or special file. */
  | { readonly kind: 'skipped'; readonly name: string; readonly path: string }
  /** The name of a folder that cannot be read ends with a slash. */
  | { readonly kind: 'failed'; readonly name: string; readonly path: string; readonly error: unknown }

/** What a walk starts from. */
export interface WalkedFolder {
  readonly path: string
  /** Before the names of everything in it, with a slash at its end. */
  readonly prefix: string
}

/**
 * Finds all files below a folder, in the order of their names (by UTF-16 code units, as the server sorts). Names are NFC. What
 * cannot be read fails alone. Synchronous: for many small files, promises take longer than the calls.
 */
export function* walkFolder({ path, prefix }: WalkedFolder, filter: NameFilter): Generator<Found> {
  yield* walk(path, '', { prefix, filter })
}

/** The state of one file that was named by itself. Throws if it cannot be read. */
export function localFile(path: string, name: string): LocalFile {
  return { name, path, ...timesOf(lstatSync(path, { bigint: true })) }
}

/** The times and the size in the form in which they are compared. */
export function timesOf(found: { size: bigint; mtimeNs: bigint; ctimeNs: bigint; ino: bigint }): FileTimes {
  return { size: Number(found.size), mtimeNs: found.mtimeNs, ctimeNs: found.ctimeNs, ino: found.ino }
}

/** Whether nothing indicates that the content has changed. */
export function isSameState(a: FileTimes, b: FileTimes): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino
}

interface Walk {
  readonly prefix: string
  readonly filter: NameFilter
}

function* walk(folder: string, relative: string, context: Walk): Generator<Found> {
  const { prefix, filter } = context
  let entries: Entry[]
  try {
    entries = readdirSync(folder, { withFileTypes: true }).map(entryOf).sort(byKey)
  } catch (error) {
    yield { kind: 'failed', name: prefix + relative, path: folder, error }
    return
  }
  const taken = new Map<string, string>()
  for (const entry of entries) {
    const path = join(folder, entry.dirent.name)
    const below = relative + entry.key
    const name = prefix + below
    if (!filter.admits(below)) continue
    const other = taken.get(entry.name)
    if (other !== undefined) yield { kind: 'failed', name, path, error: double(other, path) }
    else if (isUnreadable(path)) yield { kind: 'failed', name, path, error: notUnicode(path) }
    else if (entry.dirent.isDirectory()) yield* walk(path, below, context)
    else if (entry.dirent.isFile()) yield found(path, name)
    else yield { kind: 'skipped', name, path }
    taken.set(entry.name, entry.dirent.name)
  }
}

interface Entry {
  readonly dirent: Dirent
  readonly name: string
  /** The name by which it is sorted: a folder sorts as the prefix of what is in it. */
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
