import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Api } from '../../client/api.js'
import { listFiles } from '../../client/listing.js'
import { isUnreachable } from '../../protocol/file-errors.js'
import { tableNameOf } from '../../protocol/table-name.js'
import { Failure } from '../exit-codes.js'
import { isPattern, type NamePattern, parsePattern } from '../name-pattern.js'
import { remoteName } from '../remote-name.js'
import { type PlannedUpload, planCommand, planUpload } from './upload-plan.js'

/** A file to import: on the server, or to be uploaded first. */
export type ImportSource = { readonly name: string } | { readonly upload: PlannedUpload; readonly isStream: boolean }

export interface SourceOptions {
  /** All names are of the server. */
  readonly remote: boolean
  /** The words are a command, whose output is imported. */
  readonly fromCommand: boolean
  readonly table: string | undefined
}

/**
 * Resolves the words of the command line. A local file comes before one on the server; a pattern that is no name of a file is
 * that of local files, or else of those on the server. Throws a Failure for a folder, a pattern without a match, and stdin or a
 * command without a table.
 */
export async function planSources(
  words: readonly string[],
  options: SourceOptions,
  api: () => Promise<Api>,
): Promise<ImportSource[]> {
  if (options.fromCommand) return streamOf(planCommand(words, streamName(options.table)).items[0]!)
  if (words.includes('-')) {
    if (words.length > 1) throw new Failure('wrongUse', 'stdin is imported by itself: leave out the other files.')
    return streamOf({ path: '-', name: streamName(options.table) })
  }
  const sources: ImportSource[] = []
  for (const word of words) sources.push(...(await planWord(word, options, api)))
  return sources
}

/** The table of several files that are all in one folder; undefined if its name gives none. */
export function commonTable(sources: readonly ImportSource[]): string | undefined {
  const folders = new Set(sources.map(folderOf))
  const [folder] = folders
  return folders.size === 1 && folder ? tableNameOf(`${basename(folder)}.`) : undefined
}

function folderOf(source: ImportSource): string {
  return 'upload' in source ? dirname(resolve(source.upload.path)) : dirname(source.name).replace(/^\.$/, '')
}

function streamOf(upload: PlannedUpload): ImportSource[] {
  return [{ upload, isStream: true }]
}

/** The file is removed when it is imported: its name must only be free. */
function streamName(table: string | undefined): string {
  if (table === undefined) throw new Failure('wrongUse', 'stdin and commands have no name: give the table by --table.')
  return `${table}-${new Date().toISOString().replace(/\W/g, '')}.csv`
}

async function planWord(word: string, { remote }: SourceOptions, api: () => Promise<Api>): Promise<ImportSource[]> {
  if (!remote && (await isLocal(word))) return uploadOf([word])
  if (!isPattern(word)) return [{ name: remoteName(word) }]
  const pattern = parsePattern(word)
  const local = remote ? [] : await findLocal(pattern)
  if (local.length > 0) return uploadOf(local)
  const names: ImportSource[] = []
  for await (const { name } of listFiles(await api(), pattern.prefix)) if (pattern.matches(name)) names.push({ name })
  if (names.length === 0) throw new Failure('notFound', `No file matches ${word}.`)
  return names
}

async function uploadOf(paths: string[]): Promise<ImportSource[]> {
  const { items } = await planUpload(paths, undefined)
  return items.map((upload) => ({ upload, isStream: false }))
}

async function isLocal(path: string): Promise<boolean> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return true
    throw new Failure(
      'wrongUse',
      `${path} is a folder: to import its files, write "${path.replace(/\/*$/, '')}/*.csv".`,
    )
  } catch (error) {
    if (isUnreachable(error)) return false
    throw error
  }
}

/** Sorted by name. Hidden files match only where the pattern names them. */
async function findLocal(pattern: NamePattern): Promise<string[]> {
  const folder = pattern.prefix.slice(0, pattern.prefix.lastIndexOf('/') + 1)
  const names = await readdir(folder || '.', { recursive: pattern.isDeep }).catch((error: unknown) => {
    if (isUnreachable(error)) return []
    throw error
  })
  const found: string[] = []
  for (const name of names.sort()) {
    const isHidden = basename(name).startsWith('.') && pattern.prefix === folder
    if (isHidden || !pattern.matches(folder + name)) continue
    if ((await stat(join(folder, name))).isFile()) found.push(folder + name)
  }
  return found
}
