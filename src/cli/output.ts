import type { Context, GlobalOptions } from './context.js'
import { visibleJson, visibleLines } from './escape.js'

/** Where a command's words go: results to stdout, everything else to stderr. */
export interface Output {
  /** With `--json`, the value as one line; else the text, unless it is empty. */
  result(value: unknown, text: string): void
  /** A remark beside the result; `--quiet` silences it. */
  note(text: string): void
  /** What went wrong; always shown. */
  error(text: string): void
  /** Whether bars and spinners are welcome. */
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
