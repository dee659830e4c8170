import { mkdir, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { isMissing } from '../../protocol/file-errors.js'
import { Failure } from '../exit-codes.js'
import { remoteName } from '../remote-name.js'

/** One file to export. */
export interface ExportItem {
  readonly name: string
  /** The local path, or `-` for stdout. */
  readonly target: string
}

/** A folder to export. */
export interface FolderItem {
  /** Its prefix on the server, with a slash at its end. */
  readonly name: string
  /** The local folder. */
  readonly folder: string
}

/**
 * Resolves names and folders (`PREFIX/`) to their targets. A file goes into the target if that is a folder or ends with a
 * slash, as with `cp`. A single folder goes into a target that ends with a slash, `.` or `..`; otherwise it becomes the
 * target, whether that exists or not, so that the same command resumes. Throws a Failure for a target that cannot hold
 * all of them.
 */
export async function planExport(
  sources: readonly string[],
  target: string | undefined,
): Promise<(ExportItem | FolderItem)[]> {
  const into = await isFolder(target)
  if (sources.length > 1 && target !== undefined && target !== '-' && !into) {
    throw new Failure(
      'wrongUse',
      `${target} is not a folder, and there is more than one thing to export: create it first.`,
    )
  }
  const items: (ExportItem | FolderItem)[] = []
  for (const source of sources) {
    const name = remoteName(source)
    if (!name.endsWith('/')) items.push({ name, target: placeOf(target, into, lastPart(name)) })
    else items.push({ name, folder: placeOf(target, sources.length > 1 || isContainer(target), folderName(name)) })
  }
  return items
}

/** Whether a target can only mean the folder into which others go. */
function isContainer(target: string | undefined): boolean {
  return target !== undefined && ['', '.', '..'].includes(lastPart(target.replaceAll(sep, '/')))
}

function folderName(prefix: string): string {
  return lastPart(prefix.slice(0, -1)).replace(/^ops:/i, '')
}

function placeOf(target: string | undefined, into: boolean, own: string): string {
  if (target === '-') return '-'
  if (target === undefined) return localName(own)
  return into ? join(target, localName(own)) : target
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** Names from a server are not trusted: none may lead outside the target folder. */
function localName(name: string): string {
  const parts = name.split('/')
  const harmful = parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))
  if (harmful || (sep === '\\' && /[\\:]/.test(name)) || basename(name) === '') {
    throw new Failure('unexpected', `${name} cannot be the name of a file here: export it by itself with -o.`)
  }
  return parts.join(sep)
}

async function isFolder(target: string | undefined): Promise<boolean> {
  if (target === undefined || target === '-') return false
  if (target.endsWith('/') || target.endsWith(sep)) {
    await mkdir(target, { recursive: true })
    return true
  }
  return stat(target).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      if (isMissing(error)) return false
      throw error
    },
  )
}
