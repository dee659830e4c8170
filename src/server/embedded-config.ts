import { type OptionName, type ServerOption, serverOptions, variableOf } from '../protocol/options/server-options.js'
import { Problem } from '../protocol/problems.js'
import { parseConfig, type ServerConfig } from './config.js'
import type { BucketVariables, ServerOptions } from './embedded-options.js'

/** Throws a Problem `invalid-request` that names the option, and a TypeError for an unknown one. */
export function embeddedConfig(options: ServerOptions, variables: BucketVariables): ServerConfig {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(options)) {
    if (!isOptionName(name)) throw new TypeError(`There is no option ${name}.`)
    if (value !== undefined && value !== null) given[variableOf(name)] = textOf(serverOptions[name], value)
  }
  if (!given[variableOf('data')]) throw new TypeError('The option data is missing: the data folder.')
  try {
    return parseConfig({}, { ...bucketKeys(variables), ...given })
  } catch (error) {
    throw error instanceof Problem ? named(error) : error
  }
}

function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(serverOptions, name) && !ofCommandLine.includes(name)
}

/** The log of a program is its own. */
const ofCommandLine = ['logLevel', 'logFormat']

/** As a user would write it on the command line. */
function textOf({ value: kind }: ServerOption, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'number' && kind === 'time' ? `${value}ms` : String(value)
}

function bucketKeys(variables: BucketVariables): BucketVariables {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('FILEJOBS_')))
}

/** The message names the option in place of its variable. */
function named(problem: Problem): Problem {
  const names = Object.keys(serverOptions) as OptionName[]
  const rename = (text: string) =>
    text.replace(/FILEJOBS_[A-Z_]+/g, (variable) => names.find((name) => variableOf(name) === variable) ?? variable)
  const { field } = problem.details
  return new Problem(problem.code, rename(problem.message), {
    ...problem.details,
    ...(typeof field === 'string' ? { field: rename(field) } : {}),
  })
}
