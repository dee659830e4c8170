import { invalidOption } from './option-values.js'
import { flagOf, type OptionName, type ServerOption, serverOptions, variableOf } from './server-options.js'

/** The values of the command line by name, as commander passes them: `{ sessionTtl: '30d' }`. */
export type OptionFlags = Readonly<Record<string, string | boolean | undefined>>

export type EnvironmentVariables = Readonly<Record<string, string | undefined>>

type Table = typeof serverOptions
/** What an option is parsed into; null where it is unset and has no default. */
export type OptionValue<Name extends OptionName> =
  | ReturnType<Table[Name]['parse']>
  | (Table[Name]['default'] extends null ? null : never)

export interface OptionReader {
  /** The value of the flag, else of the variable, else the default. Throws `invalid-request`, naming the flag or the variable. */
  get<Name extends OptionName>(name: Name): OptionValue<Name>
  /** The flag where it was used, else the variable. */
  sourceOf(name: OptionName): string
}

/** Reads options by the table. An empty variable counts as unset. */
export function readOptions(flags: OptionFlags, env: EnvironmentVariables, onLoopback: boolean): OptionReader {
  const sourceOf = (name: OptionName) => (flags[name] === undefined ? variableOf(name) : flagOf(name))
  const textOf = (name: OptionName): string | null => {
    const option: ServerOption = serverOptions[name]
    const flag = flags[name]
    if (flag !== undefined) {
      const advice = option.environmentOnly
      if (advice) throw invalidOption(flagOf(name), `would show the secret to every user of this machine: ${advice}`)
      if (typeof flag === 'string' && flag !== '') return flag
      throw invalidOption(flagOf(name), 'needs a value')
    }
    const { default: fallback } = option
    const byDefault =
      fallback === null || typeof fallback === 'string' ? fallback : fallback[onLoopback ? 'onLoopback' : 'elsewhere']
    return env[variableOf(name)] || byDefault
  }
  return {
    sourceOf,
    get<Name extends OptionName>(name: Name) {
      const text = textOf(name)
      return (text === null ? null : serverOptions[name].parse(text, sourceOf(name))) as OptionValue<Name>
    },
  }
}
