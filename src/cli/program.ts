import { Command, CommanderError } from 'commander'
import { version } from '../protocol/version.js'
import { type CommandEntry, commandTable } from './command-table.js'
import type { Context, GlobalOptions } from './context.js'
import { Exit, exitCodeOf, exitCodes, formatFailure } from './exit-codes.js'
import { createOutput } from './output.js'
import { formatInvalidValue, usageError } from './usage-error.js'
import { bindBareWait } from './wait-option.js'

/** Runs one command and returns the process's exit code. Never throws. */
export async function run(args: string[], context: Context): Promise<number> {
  const program = createProgram(context)
  let running: Command | undefined
  program.hook('preAction', (_, command) => {
    running = command
  })
  try {
    const wanted = commandName(args)
    for (const entry of commandTable) {
      if (entry.name === wanted) await addCommand(program, entry, context)
      else program.command(entry.name).description(entry.summary)
    }
    await program.parseAsync(bindBareWait(args), { from: 'user' })
    return exitCodes.done
  } catch (error) {
    // The help, which commander has printed: asked for, or in place of a missing command.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongUse
    if (error instanceof Exit) return error.exit
    const text = formatInvalidValue(error, running) ?? formatFailure(error, context.env)
    createOutput(context, program.opts<GlobalOptions>()).error(text)
    if (context.env.FILEJOBS_DEBUG && error instanceof Error) context.stderr.write(`${error.stack}\n`)
    return exitCodeOf(error)
  }
}

function createProgram(context: Context): Command {
  return throwUsageErrors(new Command('filejobs'))
    .description('Upload and download files; every transfer is a job that you can watch and stop.')
    .version(version(), '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .option('--server <url>', 'the URL of the server (FILEJOBS_SERVER)')
    .option('--json', 'print results as JSON, one value per line')
    .option('--quiet', 'print no progress and no notes')
    .option('--no-color', 'disable colors')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: () => {},
    })
    .addHelpText('after', examples)
}

const examples = `
Begin with:
  $ filejobs serve
  $ filejobs signup ann
  $ filejobs upload sample.csv
  $ filejobs export sample.csv -o copy.csv
  $ filejobs stop`

async function loadProgram(context: Context): Promise<Command> {
  const program = createProgram(context)
  for (const entry of commandTable) await addCommand(program, entry, context)
  return program
}

async function addCommand(program: Command, entry: CommandEntry, context: Context): Promise<void> {
  const create = await entry.load()
  const command = create(context, () => loadProgram(context)).description(entry.summary)
  adopt(program, command)
  program.addCommand(command)
}

/** `addCommand()` does not pass on exitOverride and the output, so an invalid option would end the process. */
function adopt(parent: Command, child: Command): void {
  throwUsageErrors(child.copyInheritedSettings(parent).helpOption('-h, --help', 'show this help'))
  for (const grandchild of child.commands) adopt(child, grandchild)
}

function throwUsageErrors(command: Command): Command {
  return command.exitOverride((error) => {
    throw usageError(error, command)
  })
}

/** The first argument that names a command: global options may precede it, and one of them takes a value. */
function commandName(args: string[]): string | undefined {
  let index = 0
  while (args[index]?.startsWith('-')) index += args[index] === '--server' ? 2 : 1
  return args[index] === 'help' ? args[index + 1] : args[index]
}
