import { Command } from 'commander'
import { formatBytes } from '../../protocol/units.js'
import type { DoctorReport } from '../../server/doctor.js'
import type { Context, GlobalOptions } from '../context.js'
import { createOutput } from '../output.js'

/** Works on the data folder itself, like `serve`; the server's side reads the flags and the environment. */
export function doctorCommand(context: Context): Command {
  return new Command('doctor')
    .option('--data <folder>', 'the data folder; no server may run on it (default: ./filejobs-data)')
    .option('--keep-partial <time>', 'how long an interrupted upload is kept, as for serve (default: 24h)')
    .option('--fix', 'do what the next start of the server would do')
    .addHelpText('after', examples)
    .action(async ({ fix = false, ...flags }: Record<string, string | boolean | undefined>, command: Command) => {
      const { parseConfig } = await import('../../server/config.js')
      const { examineFolder } = await import('../../server/doctor.js')
      const { dataFolder, keepPartialMs } = parseConfig(flags, context.env)
      const report = await examineFolder(dataFolder, { keepPartialMs, fix: fix === true })
      createOutput(context, command.optsWithGlobals<GlobalOptions>()).result(report, wordingOf(report))
    })
}

const examples = `
Says what a crash left in the data folder: uploads that can go on, what nobody can use any more, and jobs that broke
off. A start of the server puts all of it in order; nothing is changed here without --fix.

Examples:
  $ filejobs doctor --data ./filejobs-data
  $ filejobs doctor --data ./filejobs-data --fix`

function wordingOf({ resumable, leftovers, ended, fixed }: DoctorReport): string {
  const isToDo = leftovers.length > 0 || ended.length > 0
  const end = fixed ? 'All of that was done.' : 'Nothing was changed: --fix does it, and the next start of the server.'
  return [
    ...section('Uploads that can go on:', resumable.map(wordUpload)),
    ...section(
      fixed ? 'Removed:' : 'To be removed:',
      leftovers.map(({ path, bytes, why }) => `${path}${bytes === null ? '' : `, ${formatBytes(bytes)}`}: ${why}`),
    ),
    ...section(
      'Jobs that broke off:',
      ended.map(({ id, kind, account, file, state }) => {
        return `${id}, ${kind}${file === null ? '' : ` of ${file}`} by ${account}: recorded as ${state}`
      }),
    ),
    isToDo ? end : 'All is in order.',
  ].join('\n')
}

function wordUpload({ id, account, file, bytes, totalBytes, expiresAt }: DoctorReport['resumable'][number]): string {
  const whole = totalBytes === null ? '' : ` of ${formatBytes(totalBytes)}`
  return `${id}, ${file} by ${account}: ${formatBytes(bytes)}${whole}, until ${expiresAt}`
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)]
}
