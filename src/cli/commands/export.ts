import { join, resolve } from 'node:path'
import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context, GlobalOptions } from '../context.js'
import { visible } from '../escape.js'
import { openHttpClient } from '../http-client.js'
import { wordNoRoom } from '../no-room.js'
import { createOutput } from '../output.js'
import { addPaceOptions, type PaceOptions, parsePace } from '../pace-options.js'
import { openProgress } from '../progress.js'
import { openSession } from '../session.js'
import { stateFolder } from '../settings.js'
import { accountKey } from '../token.js'
import { exportFile } from '../transfers/export.js'
import { planExport } from '../transfers/export-plan.js'
import { openMemory } from '../transfers/memory.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { openTarget, streamTarget } from '../transfers/targets.js'

interface Options extends GlobalOptions, PaceOptions {
  output?: string
  force?: boolean
}

export function exportCommand(context: Context): Command {
  const command = new Command('export')
    .argument('<name...>', 'files to export; a name with a slash at the end is a folder; ops:NAME/FILE is published')
    .option(
      '-o, --output <path>',
      'the file or folder to write to; - is stdout (default: ./ and the last part of the name)',
    )
    .option('--force', 'replace what is there')
    .addHelpText('after', examples)
  return addPaceOptions(command).action(async (names: string[], options: Options, command: Command) => {
    const opened = await openSession(context, command)
    // On stdout there is the file, and nothing else.
    const session = options.output === '-' ? { ...opened, output: wordsOnStderr(context, command) } : opened
    const { output } = session
    const pace = parsePace(options)
    const token = await session.token()
    const api = await session.api()
    const items = await planExport(api, names, options.output)
    const http = await openHttpClient(session.server, token, session.userAgent)
    const unfinished = join(await stateFolder(), 'exports')
    const owner = accountKey(token)
    const tools = { http, api, progress: await openProgress(output), note: output.note }
    try {
      await oneByOne(session, items, async ({ name, target }, job) => {
        const destination =
          target === '-'
            ? { open: async () => streamTarget(context.stdout), memory: undefined }
            : {
                open: (isOurs: boolean) => openTarget(target, { force: options.force ?? false, isOurs }),
                memory: openMemory(unfinished, [resolve(target)]),
              }
        const source = { server: session.server, owner, name }
        const { bytes, sha256 } = await exportFile(tools, source, destination, pace, job).catch(wordNoRoom(target))
        if (target === '-') return
        const words = `Exported ${visible(name)} to ${visible(target)} (${formatBytes(bytes)})`
        output.result({ name, path: target, size: bytes, sha256 }, words)
      })
    } finally {
      http.close()
    }
  })
}

const examples = `
The file is written beside its target, checked and renamed, so what stands there is whole. Ctrl-C stops the
export. A broken connection is taken up again; where that fails, the same command goes on from TARGET.part.
Without -o it goes into this folder; a target that exists is refused without --force.

Examples:
  $ filejobs export sample.csv
  $ filejobs export photos/ -o backup/
  $ filejobs export ops:depot/report.pdf
  $ filejobs export dir.tar -o - | tar x`

function wordsOnStderr(context: Context, command: Command) {
  return createOutput({ ...context, stdout: context.stderr }, command.optsWithGlobals<GlobalOptions>())
}
