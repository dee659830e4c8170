import { Command, Option } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { Failure } from '../exit-codes.js'
import { extractStdin } from '../folders/extract-stdin.js'
import { runFolderCommand } from '../folders/folder-command.js'
import {
  addFolderOptions,
  addTogetherOption,
  type FolderOptions,
  parseTransfers,
  refuseFolderOptions,
  refuseLocalOptions,
} from '../folders/folder-options.js'
import { openFilter } from '../folders/name-filter.js'
import { type ManyUploads, uploadMany } from '../folders/upload-many.js'
import { isManyFiles, resolveSources } from '../folders/upload-sources.js'
import { type TarOnStdin, titleOf } from '../folders/upload-tar.js'
import { addPaceOptions, type PaceOptions, parsePace } from '../pace-options.js'
import { openProgress } from '../progress.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { upload } from '../transfers/upload.js'
import type { UploadOptions } from '../transfers/upload-options.js'
import { planCommand, planUpload } from '../transfers/upload-plan.js'
import { openUploadTools } from '../transfers/upload-tools.js'

interface Options extends PaceOptions, FolderOptions {
  name?: string
  replace?: boolean
  extract?: string
  fromCommand?: boolean
  allowEmpty?: boolean
  keep?: boolean
  /** False after `--no-clobber`. */
  clobber: boolean
}

export function uploadCommand(context: Context): Command {
  const command = new Command('upload')
    .argument('<file...>', 'files and folders to upload; - is stdin; after -- the command')
    .option('--from-command', 'upload what a command writes to stdout, and only if it exits with 0; needs --name')
    .option('--allow-empty', 'publish an empty file if stdin or the command yields no bytes')
    .option('--name <name>', 'the name on the server; with a trailing slash, the folder to upload to')
    .option('--no-clobber', 'fail if the file exists')
    .option('--keep', 'on Ctrl-C, keep the uploaded bytes, so that the same command resumes; stdin cannot be resumed')
    .option('--replace', 'with --together: in the same step, remove what is on the server and not here')
    .addOption(
      new Option('--extract <format>', 'store the files of the archive on stdin, below --name').choices(['tar']),
    )
    .addHelpText('after', examples)
  addPaceOptions(addTogetherOption(addFolderOptions(command)))
  return command.action(async (sources: string[], options: Options, command: Command) => {
    const session = await openSession(context, command)
    const { output } = session
    const settings = {
      ...parsePace(options, context.stderr),
      keepExisting: !options.clobber,
      allowEmpty: options.allowEmpty ?? false,
    }
    if (options.extract !== undefined) {
      refuseLocalOptions(command)
      const tar = planTar(sources, options, settings, context.stdin)
      const { verbose = false } = options
      return runFolderCommand(session, titleOf(tar.prefix), (job) => extractStdin(session, tar, job, { verbose }))
    }
    if (!options.fromCommand && isManyFiles(sources)) {
      const uploads = await planMany(sources, options, settings, context.stdin)
      const { keep = false } = options
      return runFolderCommand(session, uploads.sources.title, (job) => uploadMany(session, uploads, job), { keep })
    }
    refuseFolderOptions(command)
    const { items, skipped } = options.fromCommand
      ? planCommand(sources, options.name)
      : await planUpload(sources, options.name)
    if (context.stdin.isTTY && items.some(({ path, command }) => path === '-' && !command)) {
      output.note('Reading from the terminal: Ctrl-D ends the file.')
    }
    for (const path of skipped) output.note(`Skipped ${visible(path)}: a symbolic link or special file.`)
    if (items.length === 0) output.note('There are no files to upload.')
    const tools = await openUploadTools(session, await openProgress(output))
    const onCtrlC = { keep: options.keep ?? false }
    try {
      await oneByOne(
        session,
        items,
        async (item, job) => {
          const record = await upload(tools, item, settings, job)
          output.result(record, `Uploaded ${visible(record.name)} (${formatBytes(record.size)})`)
        },
        onCtrlC,
      )
    } finally {
      tools.http.close()
    }
  })
}

function planTar(
  sources: readonly string[],
  { name = '/', together = false, replace = false }: Options,
  options: UploadOptions,
  stdin: { isTTY?: boolean },
): TarOnStdin {
  if (sources.length !== 1 || sources[0] !== '-') {
    throw new Failure('wrongUse', '--extract reads stdin: write "filejobs upload - --extract tar < FILE".')
  }
  if (replace && !together) throw new Failure('wrongUse', '--replace needs --together.')
  if (stdin.isTTY)
    throw new Failure('wrongUse', 'stdin is a terminal: --extract needs a tar there, from a file or a pipe.')
  const folder = remoteName(name.replace(/\/+$/, ''))
  return { prefix: folder === '' ? '' : `${folder}/`, options, isTogether: together, replaces: replace }
}

async function planMany(
  paths: readonly string[],
  options: Options,
  settings: UploadOptions,
  stdin: NodeJS.ReadableStream,
): Promise<ManyUploads> {
  const sources = resolveSources(paths, options.name)
  const { replace = false, together = false, checksum = false, verbose = false } = options
  if (replace && !together) throw new Failure('wrongUse', '--replace needs --together.')
  if (options.filesFrom !== undefined && (sources.folders.length !== 1 || paths.length !== 1)) {
    throw new Failure('wrongUse', '--files-from lists files of one folder: name that folder alone.')
  }
  return {
    sources,
    filter: await openFilter(options, stdin),
    options: settings,
    transfers: parseTransfers(options.transfers),
    checksum,
    isTogether: together,
    deletes: replace,
    isDryRun: false,
    verbose,
    title: `Uploaded ${sources.title}`,
  }
}

const examples = `
A folder is uploaded with everything in it as one job, and its name is the prefix of their names. Files that are on
the server already, with the same content, are not sent. Ctrl-C stops the upload: files that have arrived stay, the
rest leaves nothing, unless --keep is given for a single file. A broken connection is retried; if that fails, or the
machine does, run the same command again to resume.

GLOB is a pattern as in .gitignore: "*.tmp" at any depth, "/build" at the top, "cache/" a folder.

With --from-command, the upload is published only if the command exits with 0; else the file on the server stays
as it was. Through a pipe, a failed command looks like one that has finished: use - only where that does not matter.
If no byte arrives, nothing is published and the exit code is 10, unless --allow-empty is given.

With --extract tar, each file of a tar on stdin is a file on the server, and all of them are one job. The tar cannot be
sent again: after a failure, what was stored stays, or with --together, nothing of it.

Examples:
  $ filejobs upload sample.csv
  $ filejobs upload photos/ --exclude "*.tmp" --no-wait
  $ filejobs upload site --together --replace
  $ filejobs upload report.pdf --name 2026/report.pdf
  $ filejobs upload --name dump.sql --from-command -- pg_dump shop
  $ tar c dir | filejobs upload - --name dir.tar
  $ filejobs upload - --extract tar --name dir/ < dir.tar`
