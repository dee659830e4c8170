import type { Context, GlobalOptions } from './context.js'
import { visibleJson, visibleLines } from './escape.js'

/** The output of a command: results on stdout, everything else on stderr. */
export interface Output {
  /** With `--json`, prints the value as one line; otherwise the text, unless it is empty. */
  result(value: unknown, text: string): void
  /** A note beside the result; suppressed by `--quiet`. */
  note(text: string): void
  /** An error message; always shown. */
  error(text: string): void
  /** Whether to show progress bars and spinners. */
  readonly interactive: boolean
  readonly json: boolean
  readonly quiet: boolean
  readonly color: boolean
  readonly stderr: NodeJS.WriteStream
}

export function createOutput(context: Context, options: GlobalOptions): Output {
  const { stdout, stderr, env } = context
  const json = options.json ?? false
  const quiet = options.quiet ?? false
  // https://no-color.org: "when present and not an empty string"
  const color = options.color && !env.NO_COLOR && env.TERM !== 'dumb'
  return {
    json,
    quiet,
    color,
    stderr,
    interactive: Boolean(stderr.isTTY) && !json && !quiet && env.TERM !== 'dumb',
    result(value, text) {
      if (json) stdout.write(`${visibleJson(value)}\n`)
      else if (text) stdout.write(`${visibleLines(text)}\n`)
    },
    note(text) {
      if (!quiet) stderr.write(`${visibleLines(text)}\n`)
    },
    error(text) {
      const label = color && stderr.isTTY ? '\u001b[31mError:\u001b[39m' : 'Error:'
      stderr.write(`${label} ${visibleLines(text)}\n`)
    },
  }
}
