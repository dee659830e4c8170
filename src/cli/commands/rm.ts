import { Command } from 'commander'
import { Problem } from '../../protocol/problems.js'
import { filePath } from '../../protocol/routes.js'
import type { Api } from '../api.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { Exit, exitCodeOf, Failure, wordingOf } from '../exit-codes.js'
import { listFiles } from '../listing.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'

interface Options {
  recursive?: boolean
}

export function rmCommand(context: Context): Command {
  return new Command('rm')
    .argument('<name...>', 'files to remove')
    .option('-r, --recursive', 'remove folders with everything in them')
    .addHelpText('after', examples)
    .action(async (names: string[], options: Options, command: Command) => {
      const session = await openSession(context, command)
      const api = await session.api()
      let firstFailure: number | undefined
      for (const given of names) {
        try {
          for (const name of await expand(api, remoteName(given), options.recursive ?? false)) {
            await api.send('DELETE', filePath(name))
            session.output.result({ name, removed: true }, `Removed ${visible(name)}`)
          }
        } catch (error) {
          if (names.length === 1) throw error
          session.output.error(`${given}: ${wordingOf(error, context.env)}`)
          firstFailure ??= exitCodeOf(error)
        }
      }
      if (firstFailure !== undefined) throw new Exit(firstFailure)
    })
}

const examples = `
Examples:
  $ filejobs rm sample.csv
  $ filejobs rm -r photos`

async function expand(api: Api, given: string, recursive: boolean): Promise<string[]> {
  if (!recursive && given.endsWith('/')) throw new Failure('wrongUse', `${given} is a folder: use rm -r to remove it.`)
  if (!recursive) return [given]
  const name = given.replace(/\/+$/, '')
  const names: string[] = []
  for await (const file of listFiles(api, name)) {
    // `photos` is not to take `photos2` along.
    if (file.name === name || file.name.startsWith(`${name}/`)) names.push(file.name)
  }
  if (names.length === 0) throw new Problem('file-not-found', `There is no file ${name}, and none below it.`)
  return names
}
