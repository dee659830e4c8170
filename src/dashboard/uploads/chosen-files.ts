import { count } from '../labels.js'
import type { ChosenFile } from './dropped-files.js'
import type { FileIdentity } from './unfinished.js'

/** Files that are uploaded together. */
export interface ChosenFiles {
  /** The folder of all of them, with a slash at its end, or empty. */
  prefix: string
  /** The name of one file; of several their folder or their number. */
  title: string
  /** Recognises them when they are chosen again. */
  identity: FileIdentity
}

export function describe(files: readonly ChosenFile[]): ChosenFiles {
  const [first] = files
  const size = files.reduce((sum, { file }) => sum + file.size, 0)
  const lastModified = files.reduce((sum, { file }) => (sum + file.lastModified) % 2 ** 50, 0)
  if (first && files.length === 1) return { prefix: '', title: first.name, identity: { size, lastModified } }
  const top = first?.name.slice(0, first.name.indexOf('/') + 1) ?? ''
  const prefix = isPlain(top) && files.every(({ name }) => name.startsWith(top)) ? top : ''
  const isFlat = files.every(({ name }) => !name.includes('/'))
  const many = prefix ? 'folder' : isFlat ? 'files' : 'drop'
  return { prefix, title: prefix || count(files.length, 'file'), identity: { size, lastModified, many } }
}

/** Whether the server accepts the name for sure: a tar is refused whole for another one. */
export function isPlain(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\\\u0000-\u001f\u007f-\u009f\ufffd]|\p{Cs}|^ops:/iu.test(name)) return false
  return new TextEncoder().encode(name).length <= mostNameBytes
}

/** The most of one segment. */
const mostNameBytes = 240
