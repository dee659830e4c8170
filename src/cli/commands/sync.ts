import { statSync } from 'node:fs'
import { Command } from 'commander'
import type { Context } from '../context.js'
import { Failure } from '../exit-codes.js'
import { exportMany, type ManyExports } from '../folders/export-many.js'
import { runFolderCommand } from '../folders/folder-command.js'
import { addFolderOptions, addTogetherOption, type FolderOptions, parseTransfers } from '../folders/folder-options.js'
import { openFilter } from '../folders/name-filter.js'
import { type ManyUploads, uploadMany } from '../folders/upload-many.js'
import { addPaceOptions, type PaceOptions, parsePace } from '../pace-options.js'
import { remoteName } from '../remote-name.js'
import { openSession, type Session } from '../session.js'

interface Options extends PaceOptions, FolderOptions {
  pull?: boolean
  delete?: boolean
  dryRun?: boolean
}

export function syncCommand(context: Context): Command {
  const command = new Command('sync')
    .argument('<folder>', 'the folder here')
    .argument('<prefix>', 'the folder on the server, with a slash at its end; / is everything')
    .option('--pull', 'make the folder here like that of the server')
    .option('--delete', 'remove what the other side does not have')
    .option('-n, --dry-run', 'only tell what would be done')
    .addHelpText('after', examples)
  addPaceOptions(addTogetherOption(addFolderOptions(command)))
  return command.action(async (folder: string, prefix: string, options: Options, command: Command) => {
    const session = await openSession(context, command)
    await (options.pull ? pull : push)(session, folder, parsePrefix(prefix), options)
  })
}

async function push(session: Session, folder: string, prefix: string, options: Options): Promise<void> {
  const { stdin, stderr } = session.context
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new Failure('notFound', `There is no folder ${folder}.`)
  }
  const uploads: ManyUploads = {
    ...commonOf(options),
    sources: { prefix, title: prefix || '/', folders: [{ path: folder, prefix }], files: [], failures: [] },
    filter: await openFilter(options, stdin),
    options: { ...parsePace(options, stderr), keepExisting: false, allowEmpty: true },
    isTogether: options.together ?? false,
    title: `${options.dryRun ? 'Would sync' : 'Synced'} ${folder} to ${prefix || '/'}`,
  }
  await runFolderCommand(session, prefix || '/', (job) => uploadMany(session, uploads, job))
}

async function pull(session: Session, folder: string, prefix: string, options: Options): Promise<void> {
  const { stdin, stderr } = session.context
  if (options.together) throw new Failure('wrongUse', '--together is for the server: it cannot be used with --pull.')
  const exported: ManyExports = {
    ...commonOf(options),
    prefix,
    folder,
    filter: await openFilter(options, stdin),
    pace: parsePace(options, stderr),
    replaces: true,
    title: `${options.dryRun ? 'Would sync' : 'Synced'} ${prefix || '/'} to ${folder}`,
    mustExist: false,
  }
  await runFolderCommand(session, prefix || '/', (job) => exportMany(session, exported, job))
}

function commonOf(options: Options) {
  const { checksum = false, verbose = false, dryRun = false } = options
  return {
    transfers: parseTransfers(options.transfers),
    checksum,
    // A dry run can report nothing but the names.
    verbose: verbose || dryRun,
    isDryRun: dryRun,
    deletes: options.delete ?? false,
  }
}

function parsePrefix(text: string): string {
  if (text === '/') return ''
  if (!text.endsWith('/')) throw new Failure('wrongUse', `${text} names a file: write ${text}/ for the folder.`)
  return remoteName(text)
}

const examples = `
Makes the folder on the server like the one here: sends what is new or has changed, with empty folders. What is only on
the server stays, unless --delete is given. Nothing is removed if a folder here cannot be read.

Examples:
  $ filejobs sync photos photos/
  $ filejobs sync site www/ --delete --together
  $ filejobs sync backup photos/ --pull --delete --dry-run`
