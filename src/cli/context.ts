import type { Interrupt } from './interrupt.js'

/** What the process gives to the program: tests can give something else. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly interrupt: Interrupt
}

/** The options that every command knows. */
export interface GlobalOptions {
  server?: string
  json?: boolean
  quiet?: boolean
  /** False after `--no-color`. */
  color: boolean
}
