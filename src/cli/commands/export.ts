import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context, GlobalOptions } from '../context.js'
import { visible } from '../escape.js'
import { Exit } from '../exit-codes.js'
import { exportMany, type ManyExports } from '../folders/export-many.js'
import { addFolderOptions, type FolderOptions, parseTransfers, refuseFolderOptions } from '../folders/folder-options.js'
import { openFilter } from '../folders/name-filter.js'
import { openHttpClient } from '../http-client.js'
import { wordNoRoom } from '../no-room.js'
import { createOutput } from '../output.js'
import { addPaceOptions, type PaceOptions, parsePace } from '../pace-options.js'
import { noProgress, openProgress } from '../progress.js'
import { openSession } from '../session.js'
import { stateFolder } from '../settings.js'
import { accountKey } from '../token.js'
import { exportFile } from '../transfers/export.js'
import { archiveSourceOf, exportArchive } from '../transfers/export-archive.js'
import { type FolderItem, planExport } from '../transfers/export-plan.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { openTarget, refuseExisting, streamTarget } from '../transfers/targets.js'
import { openTransferState } from '../transfers/transfer-state.js'

interface Options extends GlobalOptions, PaceOptions, FolderOptions {
  output?: string
  force?: boolean
}

export function exportCommand(context: Context): Command {
  const command = new Command('export')
    .argument('<name...>', 'files to export; a name with a slash at the end is a folder; ops:NAME/FILE is published')
    .option(
      '-o, --output <path>',
      'the file or folder to write to; - is stdout (default: ./ and the last segment of the name)',
    )
    .option('--force', 'replace existing files')
    .addHelpText('after', examples)
  addPaceOptions(addFolderOptions(command))
  return command.action(async (names: string[], options: Options, command: Command) => {
    const opened = await openSession(context, command)
    // Stdout carries the file and nothing else.
    const session = options.output === '-' ? { ...opened, output: wordsOnStderr(context, command) } : opened
    const { output } = session
    const pace = parsePace(options, context.stderr)
    const token = await session.token()
    const api = await session.api()
    const http = await openHttpClient(session.server, token, session.userAgent)
    const unfinished = join(await stateFolder(), 'exports')
    const owner = accountKey(token)
    // A progress bar would erase lines of a file that is printed on the same terminal.
    const shown = options.output === '-' && context.stdout.isTTY
    const progress = shown ? noProgress : await openProgress(output)
    const tools = { http, api, progress, note: output.note }
    try {
      const archive = await archiveSourceOf(names, options.output)
      if (archive) {
        refuseFolderOptions(command)
        const target = options.output ?? '-'
        return await oneByOne(session, [archive], async (wanted, job) => {
          const force = options.force ?? false
          if (target !== '-' && !force) await refuseExisting(target)
          const open = async () => (target === '-' ? streamTarget(context.stdout) : openTarget(target, { force }))
          const { bytes, files } = await exportArchive(tools, wanted, open, pace, job).catch(wordNoRoom(target))
          if (target === '-') return
          const many = files === undefined ? '' : `${files.toLocaleString('en')} ${files === 1 ? 'file' : 'files'}, `
          const words = `Exported ${visible(wanted.name)} to ${visible(target)} (${many}${formatBytes(bytes)})`
          output.result({ names: wanted.names, path: target, size: bytes, files: files ?? null }, words)
        })
      }
      const items = await planExport(names, options.output)
      if (!items.some((item) => 'folder' in item)) refuseFolderOptions(command)
      const filter = await openFilter(options, context.stdin)
      let firstFailure: number | undefined
      await oneByOne(session, items, async (item, job) => {
        if ('folder' in item) {
          const exit = await exportMany(session, folderExport(item, options, { filter, pace }), job)
          firstFailure ??= exit
          return
        }
        const { name, target } = item
        // Check this before the request: otherwise the server would list an export whose bytes were discarded.
        if (target !== '-' && !options.force) await refuseExisting(target)
        const destination =
          target === '-'
            ? { open: async () => streamTarget(context.stdout), transferState: undefined }
            : {
                open: (isOurs: boolean) => openTarget(target, { force: options.force ?? false, isOurs }),
                transferState: openTransferState(unfinished, [resolve(target)]),
              }
        const source = { server: session.server, owner, name }
        const { bytes, sha256 } = await exportFile(tools, source, destination, pace, job).catch(wordNoRoom(target))
        if (target === '-') return
        const words = `Exported ${visible(name)} to ${visible(target)} (${formatBytes(bytes)})`
        output.result({ name, path: target, size: bytes, sha256 }, words)
      })
      if (firstFailure !== undefined) throw new Exit(firstFailure)
    } finally {
      http.close()
    }
  })
}

function folderExport(
  { name, folder }: FolderItem,
  options: Options,
  more: Pick<ManyExports, 'filter' | 'pace'>,
): ManyExports {
  const { force = false, checksum = false, verbose = false } = options
  return {
    ...more,
    prefix: name,
    folder,
    transfers: parseTransfers(options.transfers),
    checksum,
    replaces: force,
    deletes: false,
    isDryRun: false,
    verbose,
    title: `Exported ${name} to ${folder}`,
    mustExist: true,
  }
}

const examples = `
A file is written beside its target, checked and renamed, so what stands there is whole. Ctrl-C stops the
export. A broken connection is retried; if that fails, the same command resumes from TARGET.part.
Without -o it goes into this folder; a target that exists is refused without --force.
A folder goes to stdout as a tar, and into a file that ends with .tar or .zip as such an archive. An archive cannot
be resumed; a stopped one is broken off, so that tar and unzip reject it.

A folder is exported as one job. Files that are here already, with the same content, are not fetched. Its files go into
the folder that -o names; with a slash at the end, into a folder of its own name in there.
GLOB is a pattern as in .gitignore: "*.tmp" at any depth, "/build" at the top, "cache/" a folder.

Examples:
  $ filejobs export sample.csv
  $ filejobs export photos/ -o backup/
  $ filejobs export ops:depot/report.pdf
  $ filejobs export photos/ -o - | tar x
  $ filejobs export photos/ notes.txt -o backup.zip`

function wordsOnStderr(context: Context, command: Command) {
  return createOutput({ ...context, stdout: context.stderr }, command.optsWithGlobals<GlobalOptions>())
}
