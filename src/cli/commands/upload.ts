import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { openHttpClient } from '../http-client.js'
import { openProgress } from '../progress.js'
import { parseRate, rateOption } from '../rate-option.js'
import { openSession } from '../session.js'
import { oneByOne } from '../transfers/one-by-one.js'
import { upload } from '../transfers/upload.js'
import { planUpload } from '../transfers/upload-plan.js'
import { parseWait, waitOption } from '../wait-option.js'

interface Options {
  name?: string
  wait?: string | true
  limitRate?: string
  /** False after `--no-clobber`. */
  clobber: boolean
}

export function uploadCommand(context: Context): Command {
  return new Command('upload')
    .argument('<file...>', 'files and folders to upload; - is stdin')
    .option('--name <name>', 'what to call it on the server; with a slash at the end, the folder to put it in')
    .option(waitOption.flags, waitOption.meaning)
    .option(rateOption.flags, rateOption.meaning)
    .option('--no-clobber', 'refuse to replace a file')
    .addHelpText('after', examples)
    .action(async (sources: string[], options: Options, command: Command) => {
      const session = await openSession(context, command)
      const { output } = session
      const settings = {
        keepExisting: !options.clobber,
        waitSeconds: parseWait(options.wait),
        rateLimit: parseRate(options.limitRate),
      }
      const { items, skipped } = await planUpload(sources, options.name)
      for (const path of skipped) output.note(`Skipped ${visible(path)}: a symbolic link or special file.`)
      if (items.length === 0) output.note('There are no files to upload.')
      const token = await session.token()
      const api = await session.api()
      const http = await openHttpClient(session.server, token, session.userAgent)
      const progress = await openProgress(output)
      const tools = { http, api, progress }
      try {
        await oneByOne(session, items, async (item, job) => {
          const record = await upload(tools, item, context.stdin, settings, job)
          output.result(record, `Uploaded ${visible(record.name)} (${formatBytes(record.size)})`)
        })
      } finally {
        http.close()
      }
    })
}

const examples = `
A folder is uploaded with everything in it, and the names begin with its own. Ctrl-C stops the upload:
nothing of it stays on the server.

Examples:
  $ filejobs upload sample.csv
  $ filejobs upload photos/ --wait
  $ filejobs upload report.pdf --name 2026/report.pdf
  $ tar c dir | filejobs upload - --name dir.tar`
