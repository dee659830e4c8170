import type { Command } from 'commander'
import { parseRate, parseRetries, rateOption, retriesOption } from './rate-option.js'
import type { Pace } from './transfers/tools.js'
import { parseWait, waitOption } from './wait-option.js'

/** The values of the options that every transfer has. */
export interface PaceOptions {
  wait?: string | true
  limitRate?: string
  retries?: string
}

export function addPaceOptions(command: Command): Command {
  command.addOption(waitOption())
  for (const { flags, meaning } of [rateOption, retriesOption]) command.option(flags, meaning)
  return command
}

/** Throws a Failure that names the option at fault. */
export function parsePace(options: PaceOptions): Pace {
  return {
    waitSeconds: parseWait(options.wait),
    rateLimit: parseRate(options.limitRate),
    retries: parseRetries(options.retries),
  }
}
