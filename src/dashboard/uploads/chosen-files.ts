import { faultOfName } from '../../protocol/file-name.js'
import { say } from '../words/say.js'
import { type ChosenFile, isEmptyFolder } from './dropped-files.js'
import type { FileIdentity } from './unfinished.js'

/** Files that are uploaded together. */
export interface ChosenFiles {
  /** The folder of all of them on the server, with a slash at its end, or empty. */
  prefix: string
  /** The name of one file or empty folder; for several, their folder or their number. */
  title: string
  /** Identifies them when they are chosen again. */
  identity: FileIdentity
}

export function describe(files: readonly ChosenFile[]): ChosenFiles {
  const [first] = files
  const into = first?.into ?? ''
  const placed = into === '' ? {} : { into }
  const size = files.reduce((sum, { file }) => sum + file.size, 0)
  const lastModified = files.reduce((sum, { file }) => (sum + file.lastModified) % 2 ** 50, 0)
  if (first && files.length === 1) {
    const many = isEmptyFolder(first) ? { many: 'drop' as const } : {}
    return { prefix: '', title: first.name, identity: { size, lastModified, ...many, ...placed } }
  }
  const top = first?.name.slice(0, first.name.indexOf('/', into.length) + 1) ?? ''
  const isOneFolder = top.length > into.length && !faultInTar(top) && files.every(({ name }) => name.startsWith(top))
  const isFlat = files.every(({ name }) => !name.includes('/', into.length))
  const many = isOneFolder ? 'folder' : isFlat ? 'files' : 'drop'
  const whole = contentsText(contentsOf(files))
  return {
    prefix: isOneFolder ? top : into,
    title: isOneFolder ? top : into === '' ? whole : say('amount.inFolder', { contents: whole, folder: into }),
    identity: { size, lastModified, many, ...placed },
  }
}

export interface Contents {
  files: number
  emptyFolders: number
}

export function contentsOf(chosen: Iterable<ChosenFile>): Contents {
  const contents = { files: 0, emptyFolders: 0 }
  for (const one of chosen) contents[isEmptyFolder(one) ? 'emptyFolders' : 'files'] += 1
  return contents
}

/** `2 files`, `1 empty folder`, `2 files and 1 empty folder`. */
export function contentsText({ files, emptyFolders }: Contents): string {
  const folders = say('amount.emptyFolders', { count: emptyFolders })
  const named = say('amount.files', { count: files })
  if (emptyFolders === 0) return named
  return files === 0 ? folders : say('amount.both', { files: named, folders })
}

/** Why the server refuses a tar with this name of a file or folder; undefined if it accepts it. */
export function faultInTar(name: string): string | undefined {
  // What is not valid UTF-8 on the disk arrives as U+FFFD.
  return name.includes('\ufffd') ? say('uploads.badUnicode') : faultOfName(name.replace(/\/$/, ''))
}
