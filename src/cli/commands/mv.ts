import { Command } from 'commander'
import type { FileRecord } from '../../protocol/files.js'
import { Problem } from '../../protocol/problems.js'
import { filePath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { isRemoteFolder } from '../folder-listing.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'

export function mvCommand(context: Context): Command {
  return new Command('mv')
    .argument('<name>', 'the file or folder')
    .argument('<new-name>', 'its new name; for a file with a slash at the end, the folder to move it to')
    .addHelpText('after', examples)
    .action(async (given: string, target: string, _options: object, command: Command) => {
      const { output, api: open } = await openSession(context, command)
      const api = await open()
      const from = remoteName(given.replace(/\/+$/, ''))
      const move = (to: string) => api.send<FileRecord>('POST', `${filePath(from)}/move`, { json: { to } })
      const moveFolder = async (to: string) => {
        await move(to)
        output.result({ name: to }, `Moved ${visible(from)}/ to ${visible(to)}`)
      }
      if (given.endsWith('/')) return moveFolder(remoteName(target.replace(/\/*$/, '/')))
      const to = remoteName(target.endsWith('/') ? target + from.slice(from.lastIndexOf('/') + 1) : target)
      try {
        const record = await move(to)
        output.result(record ?? { name: to }, `Moved ${visible(from)} to ${visible(to)}`)
      } catch (error) {
        const isMissing = error instanceof Problem && error.code === 'file-not-found'
        if (!isMissing || !(await isRemoteFolder(api, from))) throw error
        await moveFolder(`${to}/`)
      }
    })
}

const examples = `
A folder is moved in one step, with everything in it. It cannot replace an existing one.

Examples:
  $ filejobs mv sample.csv 2026/sample.csv
  $ filejobs mv sample.csv archive/
  $ filejobs mv photos/ archive/photos/`
