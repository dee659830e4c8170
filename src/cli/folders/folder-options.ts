import { type Command, Option } from 'commander'
import { invalidOption } from '../../protocol/options/option-values.js'
import { Failure } from '../exit-codes.js'
import type { FilterOptions } from './name-filter.js'

/** The options of commands that transfer many files. */
export interface FolderOptions extends FilterOptions {
  transfers?: string
  checksum?: boolean
  together?: boolean
  verbose?: boolean
}

export function addFolderOptions(command: Command): Command {
  return command
    .addOption(repeatable('--include <glob>', 'transfer only files that match; repeatable'))
    .addOption(repeatable('--exclude <glob>', 'skip files and folders that match; repeatable'))
    .addOption(
      repeatable('--exclude-from <file>', 'read patterns to exclude from a file, such as .gitignore; repeatable'),
    )
    .option('--files-from <file>', 'transfer only the files listed in a file, one per line; - is stdin')
    .option('--transfers <number>', `number of large files to transfer at a time (default: ${defaultTransfers})`)
    .option('--checksum', 'compare files by content, not by size and times')
    .option('-v, --verbose', 'print every file')
}

/** For commands that publish. */
export function addTogetherOption(command: Command): Command {
  return command.option('--together', 'publish all files in one step at the end, or none')
}

/** Throws a Failure if an option for folders is given with a single file. */
export function refuseFolderOptions(command: Command): void {
  refuseOptions(command, [...ofFolders, 'replace'], 'is for folders and for several files')
}

/** Throws a Failure if an option for local files is given with `--extract`. */
export function refuseLocalOptions(command: Command): void {
  const names = [...ofFolders.filter((name) => name !== 'together'), 'fromCommand', 'allowEmpty', 'keep']
  refuseOptions(command, names, 'cannot be used with --extract')
}

function refuseOptions(command: Command, names: readonly string[], why: string): void {
  const given = names.find((name) => command.getOptionValueSource(name) === 'cli')
  const flag = command.options.find((option) => option.attributeName() === given)?.long
  if (flag) throw new Failure('wrongUse', `${flag} ${why}.`)
}

const ofFolders = ['include', 'exclude', 'excludeFrom', 'filesFrom', 'transfers', 'checksum', 'together']

export function parseTransfers(text: string | undefined): number {
  if (text === undefined) return defaultTransfers
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= maxTransfers) return number
  throw invalidOption('--transfers', `must be a whole number from 1 to ${maxTransfers}, not "${text}"`)
}

function repeatable(flags: string, meaning: string): Option {
  return new Option(flags, meaning).argParser((value: string, values: string[] | undefined) => [
    ...(values ?? []),
    value,
  ])
}

const defaultTransfers = 8
/** The server allows 64 streams per job; one of them carries the small files. */
const maxTransfers = 60
