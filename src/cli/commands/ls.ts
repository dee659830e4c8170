import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { listFiles } from '../listing.js'
import { openSession } from '../session.js'
import { formatTime } from '../table.js'

export function lsCommand(context: Context): Command {
  return new Command('ls')
    .argument('[prefix]', 'list only names that begin so; ops:NAME lists what that ops account publishes')
    .addHelpText('after', examples)
    .action(async (prefix: string | undefined, _options: object, command: Command) => {
      const { output, api } = await openSession(context, command)
      let count = 0
      for await (const file of listFiles(await api(), (prefix ?? '').normalize('NFC'))) {
        count += 1
        const size = formatBytes(file.size).padStart(10)
        output.result(file, `${size}  ${formatTime(file.uploadedAt)}  ${visible(file.name)}`)
      }
      if (count === 0) output.note(prefix === undefined ? 'There are no files yet.' : `No names begin with ${prefix}.`)
    })
}

const examples = `
Examples:
  $ filejobs ls
  $ filejobs ls photos/
  $ filejobs ls ops:depot
  $ filejobs ls --json | jq -r .name`
