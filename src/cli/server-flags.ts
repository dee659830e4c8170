import { Option } from 'commander'
import {
  flagOf,
  formatDefault,
  type OptionName,
  type ServerOption,
  serverOptions,
} from '../protocol/options/server-options.js'

/** The flags of `filejobs serve`, grouped. A flag that would show a secret is hidden, and accepted only to be rejected with advice. */
export function serverFlags(): Option[] {
  return (Object.keys(serverOptions) as OptionName[]).map((name) => {
    const option: ServerOption = serverOptions[name]
    if (option.environmentOnly) return new Option(`${flagOf(name)} [${option.value}]`).hideHelp()
    return serverFlag(name).helpGroup(`${option.group}:`)
  })
}

/** One flag of the server for a command that shares it. */
export function serverFlag(name: OptionName, meaning: string = serverOptions[name].meaning): Option {
  const option: ServerOption = serverOptions[name]
  const byDefault = formatDefault(option)
  return new Option(`${flagOf(name)} <${option.value}>`, byDefault ? `${meaning} (default: ${byDefault})` : meaning)
}
