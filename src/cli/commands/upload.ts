import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { addPaceOptions, type PaceOptions, parsePace } from '../pace-options.js'
import { openProgress } from '../progress.js'
import { openSession } from '../session.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { upload } from '../transfers/upload.js'
import { planUpload } from '../transfers/upload-plan.js'
import { openUploadTools } from '../transfers/upload-tools.js'

interface Options extends PaceOptions {
  name?: string
  keep?: boolean
  /** False after `--no-clobber`. */
  clobber: boolean
}

export function uploadCommand(context: Context): Command {
  const command = new Command('upload')
    .argument('<file...>', 'files and folders to upload; - is stdin')
    .option('--name <name>', 'what to call it on the server; with a slash at the end, the folder to put it in')
    .option('--no-clobber', 'refuse to replace a file')
    .option('--keep', 'on Ctrl-C, keep what has arrived, so that the same command goes on with it; stdin is stopped')
    .addHelpText('after', examples)
  return addPaceOptions(command).action(async (sources: string[], options: Options, command: Command) => {
    const session = await openSession(context, command)
    const { output } = session
    const settings = { ...parsePace(options), keepExisting: !options.clobber }
    const { items, skipped } = await planUpload(sources, options.name)
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

const examples = `
A folder is uploaded with everything in it, and the names begin with its own. Ctrl-C stops the upload:
nothing of it stays on the server, but with --keep. A broken connection is taken up again; where that fails,
or the machine does, the same command goes on with what has arrived.

Examples:
  $ filejobs upload sample.csv
  $ filejobs upload photos/ --wait
  $ filejobs upload report.pdf --name 2026/report.pdf
  $ tar c dir | filejobs upload - --name dir.tar`
