import { Command } from 'commander'
import { filePath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'

interface Options {
  parents?: boolean
}

export function mkdirCommand(context: Context): Command {
  return new Command('mkdir')
    .argument('<folder...>', 'folders to create, with those that lead to them')
    .option('-p, --parents', 'succeed if a folder exists already')
    .addHelpText('after', examples)
    .action(async (folders: string[], { parents }: Options, command: Command) => {
      const { output, api } = await openSession(context, command)
      const open = await api()
      for (const given of folders) {
        const name = `${remoteName(given.replace(/\/+$/, ''))}/`
        await open.send('PUT', filePath(name), parents ? {} : { headers: { 'If-None-Match': '*' } })
        output.result({ name }, `Created ${visible(name)}`)
      }
    })
}

const examples = `
Uploads create their folders by themselves. A folder that was created by this command is kept while it is empty.

Examples:
  $ filejobs mkdir photos
  $ filejobs mkdir -p reports/2026`
