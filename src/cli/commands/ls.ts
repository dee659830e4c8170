import { Command, Option } from 'commander'
import type { Api } from '../../client/api.js'
import { listFiles } from '../../client/listing.js'
import type { FileRecord } from '../../protocol/files.js'
import type { FolderRecord } from '../../protocol/folders.js'
import { parsePublished } from '../../protocol/routes.js'
import { countOf, formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { type LevelOptions, type ListedLevel, readLevel } from '../folder-listing.js'
import { isPattern, parsePattern } from '../name-pattern.js'
import { openSession } from '../session.js'
import { formatTime } from '../table.js'

interface Options extends LevelOptions {
  long?: boolean
  recursive?: boolean
}

export function lsCommand(context: Context): Command {
  return new Command('ls')
    .argument('[prefix]', 'a folder, a prefix of names, or a pattern; ops:NAME lists what that ops account publishes')
    .option('-l, --long', 'also show media types and SHA-256 digests')
    .option('-R, --recursive', 'list files at any depth')
    .addOption(new Option('--sort <by>', 'sort files by name, size or date').choices(['name', 'size', 'date']))
    .option('-r, --reverse', 'reverse the order')
    .addHelpText('after', examples)
    .action(async (given: string | undefined, options: Options, command: Command) => {
      const { output, api } = await openSession(context, command)
      const prefix = (given ?? '').normalize('NFC')
      const { folders, files, totals } = await list(await api(), prefix, options)
      for (const folder of folders) output.result(folder, formatFolder(folder))
      for (const file of files) output.result(file, formatFile(file, options.long ?? false))
      if (folders.length + files.length > 0) output.note(formatTotals(totals))
      else output.note(given === undefined ? 'There are no files yet.' : `No files match the prefix ${given}.`)
    })
}

const examples = `
Folders end with a slash. Quote patterns, so that the shell does not expand them.

Examples:
  $ filejobs ls
  $ filejobs ls photos/ --sort size --reverse
  $ filejobs ls 'photos/*.jpg'
  $ filejobs ls -R photos/
  $ filejobs ls ops:depot
  $ filejobs ls -R --json | jq -r .name`

async function list(api: Api, prefix: string, options: Options): Promise<ListedLevel> {
  if (parsePublished(prefix)) return listDeep(api, prefix, () => true, options)
  if (isPattern(prefix)) {
    const pattern = parsePattern(prefix)
    if (pattern.isDeep || options.recursive) return listDeep(api, pattern.prefix, pattern.matches, options)
    const { folders, files } = await readLevel(api, pattern.prefix, options)
    return withTotals({
      folders: folders.filter(({ name }) => pattern.matches(name.slice(0, -1))),
      files: files.filter(({ name }) => pattern.matches(name)),
    })
  }
  if (options.recursive) return listDeep(api, prefix, () => true, options)
  const level = await readLevel(api, prefix, options)
  const isFolder = level.folders.some(({ name }) => name === `${prefix}/`)
  return isFolder ? readLevel(api, `${prefix}/`, options) : level
}

async function listDeep(
  api: Api,
  prefix: string,
  isWanted: (name: string) => boolean,
  { sort, reverse }: Options,
): Promise<ListedLevel> {
  const files: FileRecord[] = []
  for await (const file of listFiles(api, prefix)) if (isWanted(file.name)) files.push(file)
  if (sort === 'size') files.sort((a, b) => a.size - b.size)
  if (sort === 'date') files.sort((a, b) => Date.parse(a.uploadedAt) - Date.parse(b.uploadedAt))
  return withTotals({ folders: [], files: reverse ? files.reverse() : files })
}

function withTotals({ folders, files }: Omit<ListedLevel, 'totals'>): ListedLevel {
  const sizes = [...folders.map(({ bytes }) => bytes), ...files.map(({ size }) => size)]
  const bytes = sizes.reduce((sum, size) => (sum === null || size === null ? null : sum + size), 0)
  return { folders, files, totals: { folders: folders.length, files: files.length, bytes } }
}

function formatFolder({ name, files, bytes, modifiedAt }: FolderRecord): string {
  const count = files === null ? '' : `  (${countOf(files, 'file')})`
  return `${formatSize(bytes)}  ${formatTime(modifiedAt)}  ${visible(name)}${count}`
}

function formatFile({ name, size, uploadedAt, type, sha256 }: FileRecord, isLong: boolean): string {
  const more = isLong ? `  ${sha256 ?? '-'.padEnd(64)}  ${visible(type)}` : ''
  return `${formatSize(size)}  ${formatTime(uploadedAt)}${more}  ${visible(name)}`
}

function formatTotals({ folders, files, bytes }: ListedLevel['totals']): string {
  const parts = [folders > 0 ? countOf(folders, 'folder') : '', countOf(files, 'file')]
  return [...parts, bytes === null ? '' : formatBytes(bytes)].filter((part) => part !== '').join(', ')
}

/** A folder that the server has not counted yet has no size. */
function formatSize(bytes: number | null): string {
  return (bytes === null ? '-' : formatBytes(bytes)).padStart(10)
}
