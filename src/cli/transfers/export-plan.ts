import { mkdir, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import type { FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import type { Api } from '../api.js'
import { errorCode, Failure } from '../exit-codes.js'
import { listFiles } from '../listing.js'
import { remoteName } from '../remote-name.js'

/** One file to export. */
export interface ExportItem {
  readonly name: string
  /** The local path, or `-` for stdout. */
  readonly target: string
}

/**
 * Lists what the given names and folders (`PREFIX/`) come to, and where each goes. Like `cp -r`: into the target where
 * that is a folder or ends with a slash, else as the target. Throws a Failure for a target that cannot take them all.
 */
export async function planExport(
  api: Api,
  sources: readonly string[],
  target: string | undefined,
): Promise<ExportItem[]> {
  const into = await isFolder(target)
  if (sources.length > 1 && target !== undefined && target !== '-' && !into) {
    throw new Failure(
      'wrongUse',
      `${target} is not a folder, and there is more than one thing to export: create it first.`,
    )
  }
  const items: ExportItem[] = []
  for (const source of sources) {
    const name = remoteName(source)
    if (name.endsWith('/')) items.push(...(await planFolder(api, name, target, into)))
    else items.push({ name, target: placeOf(target, into, lastPart(name)) })
  }
  return items
}

async function planFolder(api: Api, prefix: string, target: string | undefined, into: boolean): Promise<ExportItem[]> {
  const files: FileRecord[] = []
  for await (const file of listFiles(api, prefix)) files.push(file)
  if (files.length === 0) throw new Problem('file-not-found', `There are no files below ${prefix}.`)
  const folder = placeOf(target, into, lastPart(prefix.slice(0, -1)).replace(/^ops:/i, ''))
  return files.map(({ name }) => ({
    name,
    target: folder === '-' ? '-' : join(folder, localName(name.slice(prefix.length))),
  }))
}

function placeOf(target: string | undefined, into: boolean, own: string): string {
  if (target === '-') return '-'
  if (target === undefined) return localName(own)
  return into ? join(target, localName(own)) : target
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1)
}

/** A server's names are not trusted with our disk: none of them leads out of the folder that was asked for. */
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
      if (errorCode(error) === 'ENOENT') return false
      throw error
    },
  )
}
