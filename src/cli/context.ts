import type { Interrupt } from './interrupt.js'

/** What the program uses of the process; tests can substitute it. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly interrupt: Interrupt
}

/** The global options. */
export interface GlobalOptions {
  server?: string
  json?: boolean
  quiet?: boolean
  /** False after `--no-color`. */
  color: boolean
}
