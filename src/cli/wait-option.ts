import { type Command, Option } from 'commander'
import { longestWaitSeconds } from '../client/transfer-options.js'
import { invalidOption } from '../protocol/options/option-values.js'

/** The value of `--wait` and `--no-wait`. */
export type WaitValue = string | boolean | undefined

export function addWaitOptions(command: Command): Command {
  return command
    .addOption(waitOption())
    .option('--no-wait', 'if another job of that kind is running, fail with exit code 6')
}

/** Shown in the form in which it must be written: `bindBareWait` allows no other. */
export function waitOption(): Option {
  const option = new Option(
    '--wait [seconds]',
    'if another job of that kind is running, wait up to SECONDS for it (default on a terminal: a day)',
  )
  option.flags = '--wait[=seconds]'
  return option
}

/** Parses the option's value into seconds; null for no wait, the default without a terminal. */
export function parseWait(value: WaitValue, stderr: { isTTY?: boolean }): number | null {
  if (value === undefined) return stderr.isTTY ? longestWaitSeconds : null
  if (value === false) return null
  if (value === true) return longestWaitSeconds
  const seconds = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(seconds <= longestWaitSeconds)) {
    throw invalidOption('--wait', `must be a number of seconds up to ${longestWaitSeconds}, not "${value}"`)
  }
  return seconds
}

/** The parser would take `FILE` as the value of `--wait FILE`; only `--wait=SECONDS` has a value. */
export function bindBareWait(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) => (arg === '--wait' && (end < 0 || index < end) ? `--wait=${longestWaitSeconds}` : arg))
}
