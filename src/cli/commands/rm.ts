import { Command } from 'commander'
import type { Api } from '../../client/api.js'
import { Problem } from '../../protocol/problems.js'
import { filePath } from '../../protocol/routes.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { Exit, exitCodeOf, Failure, formatFailure } from '../exit-codes.js'
import { isRemoteFolder } from '../folder-listing.js'
import { remoteName } from '../remote-name.js'
import { openSession } from '../session.js'

interface Options {
  recursive?: boolean
}

export function rmCommand(context: Context): Command {
  return new Command('rm')
    .argument('<name...>', 'files to remove')
    .option('-r, --recursive', 'remove folders and their contents')
    .addHelpText('after', examples)
    .action(async (names: string[], options: Options, command: Command) => {
      const session = await openSession(context, command)
      const api = await session.api()
      let firstFailure: number | undefined
      for (const given of names) {
        try {
          const name = remoteName(given)
          const removed = options.recursive ? await removeTree(api, name) : await removeFile(api, name)
          session.output.result({ name: removed, removed: true }, `Removed ${visible(removed)}`)
        } catch (error) {
          if (names.length === 1) throw error
          session.output.error(`${given}: ${formatFailure(error, context.env)}`)
          firstFailure ??= exitCodeOf(error)
        }
      }
      if (firstFailure !== undefined) throw new Exit(firstFailure)
    })
}

const examples = `
A folder is removed in one step, with everything in it.

Examples:
  $ filejobs rm sample.csv
  $ filejobs rm -r photos`

async function removeFile(api: Api, name: string): Promise<string> {
  if (name.endsWith('/')) throw isFolder(name)
  try {
    await api.send('DELETE', filePath(name))
    return name
  } catch (error) {
    if (isNotFound(error) && (await isRemoteFolder(api, name))) throw isFolder(name)
    throw error
  }
}

/** Removes a folder, or a file where the name does not end with a slash. Returns the name of the removed one. */
async function removeTree(api: Api, given: string): Promise<string> {
  const name = given.replace(/\/+$/, '')
  try {
    await api.send('DELETE', filePath(`${name}/`))
    return `${name}/`
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  try {
    if (given === name) {
      await api.send('DELETE', filePath(name))
      return name
    }
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  throw new Problem('file-not-found', `There is no file or folder ${name}.`)
}

function isFolder(name: string): Failure {
  const command = `filejobs rm -r ${name}`
  return new Failure('wrongUse', `${name} is a folder. To remove it with everything in it, run "${command}".`)
}

function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.code === 'file-not-found'
}
