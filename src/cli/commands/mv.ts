import { Command } from 'commander'
import type { FileRecord } from '../../protocol/files.js'
import { filePath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'

export function mvCommand(context: Context): Command {
  return new Command('mv')
    .argument('<name>', 'the file')
    .argument('<new-name>', 'its new name; with a slash at the end, the folder to move it to')
    .addHelpText('after', examples)
    .action(async (given: string, target: string, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      const from = remoteName(given)
      const to = remoteName(target.endsWith('/') ? target + from.slice(from.lastIndexOf('/') + 1) : target)
      const record = await (await api()).send<FileRecord>('POST', `${filePath(from)}/move`, { json: { to } })
      output.result(record ?? { name: to }, `Moved ${visible(from)} to ${visible(to)}`)
    })
}

const examples = `
Examples:
  $ filejobs mv sample.csv 2026/sample.csv
  $ filejobs mv sample.csv archive/`
