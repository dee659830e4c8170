import type { Command, CommanderError } from 'commander'
import { Problem } from '../protocol/problems.js'
import { Failure } from './exit-codes.js'

/** Converts an error of the parser into one line that names the command's help. Returns help and version, which are no errors, as they are. */
export function usageError(error: CommanderError, command: Command): Error {
  const format = formats[error.code]
  return format ? new Failure('wrongUse', `${format(error.message)} ${seeHelp(command)}`) : error
}

/**
 * Formats what was wrong with a value of the command line: the server's name of a field becomes the flag that the user
 * wrote, and the command's help is named. Undefined for other errors.
 */
export function formatInvalidValue(error: unknown, command: Command | undefined): string | undefined {
  if (!command || !(error instanceof Problem) || error.code !== 'invalid-request') return undefined
  const field = String(error.details.field ?? '')
  if (/^(--|<)/.test(field)) return `${error.message} ${seeHelp(command)}`
  const option = command.options.find((known) => known.attributeName() === field.split('.')[0])
  if (!option?.long || !/^[ :]/.test(error.message.slice(field.length)) || !error.message.startsWith(field))
    return undefined
  return `${option.long}${error.message.slice(field.length)} ${seeHelp(command)}`
}

function seeHelp(command: Command): string {
  const names = [command.name()]
  for (let parent = command.parent; parent; parent = parent.parent) names.unshift(parent.name())
  return `See "${names.join(' ')} --help".`
}

/** By commander's code: its message in our words. The first quoted word is the option, argument or command at fault. */
const formats: Readonly<Record<string, (message: string) => string>> = {
  'commander.unknownOption': (message) => `Unknown option ${quoted(message)}.${suggestion(message)}`,
  'commander.unknownCommand': (message) => `Unknown command ${quoted(message)}.${suggestion(message)}`,
  'commander.missingArgument': (message) => `Missing argument <${quoted(message)}>.`,
  'commander.optionMissingArgument': (message) => `Option ${flagIn(message)} needs a value.`,
  'commander.excessArguments': (message) => {
    const [, expected, got] = /Expected (\d+) arguments? but got (\d+)/.exec(message) ?? []
    return `Too many arguments: expected ${expected}, got ${got}.`
  },
  'commander.invalidArgument': (message) => {
    const [, value] = /(?:value|argument) '(.*?)' is invalid/.exec(message) ?? []
    const [, argument] = /is invalid for argument '(.*?)'/.exec(message) ?? []
    const [, choices] = /Allowed choices are (.*)\.$/s.exec(message) ?? []
    return `${argument ? `<${argument}>` : flagIn(message)} must be one of ${choices}, not "${value}".`
  },
}

function quoted(message: string): string {
  return /'(.*?)'/s.exec(message)?.[1] ?? ''
}

/** `--output` of `-o, --output <path>`. */
function flagIn(message: string): string {
  return /--[a-z-]+/.exec(message)?.[0] ?? quoted(message)
}

function suggestion(message: string): string {
  const [, found] = /\(Did you mean (.*)\?\)/.exec(message) ?? []
  return found ? ` Did you mean ${found}?` : ''
}
