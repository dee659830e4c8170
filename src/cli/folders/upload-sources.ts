import { realpathSync, statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { isMissing } from '../../protocol/file-errors.js'
import { Failure } from '../exit-codes.js'
import { remoteName } from '../remote-name.js'
import type { WalkedFolder } from './walk.js'

/** What one command uploads as one job. */
export interface UploadSources {
  /** The prefix of all names: empty, or with a slash at its end. */
  readonly prefix: string
  /** What the user calls it. */
  readonly title: string
  readonly folders: WalkedFolder[]
  /** Files that the command names, sorted by name. */
  readonly files: SourceFile[]
  readonly failures: SourceFailure[]
}

interface SourceFile {
  readonly name: string
  readonly path: string
}

interface SourceFailure extends SourceFile {
  readonly error: unknown
}

/**
 * Whether the sources are uploaded as one job of many files: there are several, or one is a folder. stdin is always an
 * upload of its own.
 */
export function isManyFiles(sources: readonly string[]): boolean {
  if (sources.includes('-')) return false
  return sources.length > 1 || sources.some((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory())
}

/**
 * Resolves the names of the sources. `name` renames a single source or, with a slash at its end, is the folder for all.
 * Throws a Failure for two sources of the same name, and for one name for several sources.
 */
export function resolveSources(paths: readonly string[], name: string | undefined): UploadSources {
  const into = name?.endsWith('/') ? remoteName(name) : ''
  if (name !== undefined && into === '' && paths.length > 1) {
    throw new Failure('wrongUse', `--name ${name} can name one file only; write ${name}/ to put all into a folder.`)
  }
  const sources: UploadSources = { prefix: into, title: into || '.', folders: [], files: [], failures: [] }
  const taken = new Map<string, string>()
  for (const path of paths) {
    const own = into === '' && name !== undefined ? remoteName(name) : into + remoteName(basename(resolve(path)))
    addSource(sources, path, own)
    const other = taken.get(own)
    if (other !== undefined) {
      throw new Failure(
        'wrongUse',
        `${other} and ${path} would both be called ${own}: upload them one by one with --name.`,
      )
    }
    taken.set(own, path)
  }
  sources.files.sort((a, b) => (a.name < b.name ? -1 : 1))
  const [folder] = sources.folders
  if (!folder || paths.length > 1) return { ...sources, title: titleOf(paths, into) }
  return { ...sources, prefix: folder.prefix, title: folder.prefix.slice(0, -1) }
}

function titleOf(paths: readonly string[], into: string): string {
  return into === ''
    ? paths
        .map((path) => basename(resolve(path)))
        .slice(0, 2)
        .join(', ') + (paths.length > 2 ? ', …' : '')
    : into
}

function addSource(sources: UploadSources, path: string, name: string): void {
  try {
    // Follows a link that the user names, unlike those inside a folder.
    if (statSync(path).isDirectory()) sources.folders.push({ path, prefix: `${name}/` })
    else sources.files.push({ path: realpathSync(path), name })
  } catch (error) {
    const worded = isMissing(error) ? new Failure('notFound', `There is no file ${path}.`, { cause: error }) : error
    sources.failures.push({ path, name, error: worded })
  }
}
