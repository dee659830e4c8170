import { type FileFault, fileFault } from '../protocol/file-errors.js'
import { Problem, problems } from '../protocol/problems.js'
import type { Context } from './context.js'

export const exitCodes = {
  done: 0,
  unexpected: 1,
  wrongUse: 2,
  notAllowed: 3,
  notFound: 4,
  tryAgain: 5,
  refused: 6,
  noRoom: 7,
  digestMismatch: 8,
  stoppedByOther: 9,
  badData: 10,
  interrupted: 130,
  terminated: 143,
} as const

/** A client-side error to report to the user, with its exit code. */
export class Failure extends Error {
  readonly exit: number

  constructor(exit: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.exit = exitCodes[exit]
  }
}

/** Exits the program after all output has been written. */
export class Exit extends Error {
  readonly exit: number

  constructor(exit: number) {
    super(`exit ${exit}`)
    this.name = 'Exit'
    this.exit = exit
  }
}

/** The exit code for an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure || error instanceof Exit) return error.exit
  if (error instanceof Problem) return problems[error.code].exit
  const fault = fileFault(error)
  return (fault && localErrors[fault]?.exit) ?? exitCodes.unexpected
}

/**
 * Formats an error for the user, in one or a few lines without a stack. `env` may be the source of a rejected token.
 */
export function formatFailure(error: unknown, env: Context['env'] = {}): string {
  // A new login has no effect while the variable overrides it.
  if (error instanceof Problem && error.code === 'not-logged-in' && env.FILEJOBS_TOKEN) {
    const where = typeof error.details.server === 'string' ? error.details.server : 'the server'
    return `FILEJOBS_TOKEN holds no token that ${where} accepts: set another one, or unset it and run "filejobs login".`
  }
  if (error instanceof Failure) return error.message
  if (error instanceof Problem) return error.message + placeOf(error)
  const fault = fileFault(error)
  const known = fault && localErrors[fault]
  if (known) return `${known.words}${pathOf(error)}`
  return error instanceof Error ? error.message : String(error)
}

/** The line of a file that an import was refused for. */
function placeOf({ details: { offset, text } }: Problem): string {
  return typeof offset === 'number' && typeof text === 'string' ? `\n  At byte ${offset}: ${text}` : ''
}

/** The system error code, such as `ECONNRESET`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Operating system errors of the client's own files. */
const localErrors: { [fault in FileFault]?: { exit: number; words: string } } = {
  missing: { exit: exitCodes.notFound, words: 'There is no such file or folder' },
  'below-file': { exit: exitCodes.notFound, words: 'A part of the path is not a folder' },
  forbidden: { exit: exitCodes.notAllowed, words: 'Permission denied' },
  'read-only': { exit: exitCodes.notAllowed, words: 'The file system is read-only' },
  folder: { exit: exitCodes.refused, words: 'This is a folder' },
  exists: { exit: exitCodes.refused, words: 'This exists already' },
  full: { exit: exitCodes.noRoom, words: 'No space left on this machine' },
  'over-quota': { exit: exitCodes.noRoom, words: 'Over the quota on this machine' },
  'too-large': { exit: exitCodes.noRoom, words: 'The file is too large for the file system' },
  'too-long': { exit: exitCodes.wrongUse, words: 'The name is too long' },
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? `: ${error.path}` : '.'
}
