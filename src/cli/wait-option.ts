import { Option } from 'commander'
import { Failure } from './exit-codes.js'

/** `Prefer: wait=N` of the design: a day at most. */
const longestWaitSeconds = 86_400

/** Shown as it is to be written: `bindBareWait` leaves no other way. */
export function waitOption(): Option {
  const option = new Option(
    '--wait [seconds]',
    'wait for its turn when another one runs, at most so long (default: a day)',
  )
  option.flags = '--wait[=seconds]'
  return option
}

/** Reads the option's value into seconds; null where it was not given. */
export function parseWait(value: string | true | undefined): number | null {
  if (value === undefined) return null
  if (value === true) return longestWaitSeconds
  const seconds = /^\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(seconds <= longestWaitSeconds)) {
    throw new Failure('wrongUse', `--wait: "${value}" is not a number of seconds up to ${longestWaitSeconds}.`)
  }
  return seconds
}

/** The header that asks for the wait (RFC 7240). */
export function waitHeaders(seconds: number | null): Record<string, string> {
  return seconds === null ? {} : { prefer: `wait=${seconds}` }
}

/** The parser would take `FILE` for the seconds of `--wait FILE`; only `--wait=SECONDS` is meant to have a value. */
export function bindBareWait(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, index) => (arg === '--wait' && (end < 0 || index < end) ? `--wait=${longestWaitSeconds}` : arg))
}
