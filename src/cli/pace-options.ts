import type { Command } from 'commander'
import { parseRate, parseRetries, rateOption, retriesOption } from './rate-option.js'
import type { Pace } from './transfers/tools.js'
import { addWaitOptions, parseWait, type WaitValue } from './wait-option.js'

/** The values of the options of all transfers. */
export interface PaceOptions {
  wait?: WaitValue
  limitRate?: string
  retries?: string
}

export function addPaceOptions(command: Command): Command {
  addWaitOptions(command)
  for (const { flags, meaning } of [rateOption, retriesOption]) command.option(flags, meaning)
  return command
}

/** Throws a Failure that names the invalid option. */
export function parsePace(options: PaceOptions, stderr: { isTTY?: boolean }): Pace {
  return {
    waitSeconds: parseWait(options.wait, stderr),
    rateLimit: parseRate(options.limitRate),
    retries: parseRetries(options.retries),
  }
}
