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

/** An error on the client's side that the user is told of, with the exit code that it leads to. */
export class Failure extends Error {
  readonly exit: number

  constructor(exit: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Failure'
    this.exit = exitCodes[exit]
  }
}

/** Ends the program when everything that had to be said was said. */
export class Exit extends Error {
  readonly exit: number

  constructor(exit: number) {
    super(`exit ${exit}`)
    this.name = 'Exit'
    this.exit = exit
  }
}

/** The exit code that an error leads to. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure || error instanceof Exit) return error.exit
  if (error instanceof Problem) return problems[error.code].exit
  const code = errorCode(error)
  if (code === undefined) return exitCodes.unexpected
  return localErrors[code]?.exit ?? exitCodes.unexpected
}

/** What to tell the user of an error: one line or a few, without a stack. `env` is where a refused token may come from. */
export function wordingOf(error: unknown, env: Context['env'] = {}): string {
  // A new login would not help as long as the variable goes before it.
  if (error instanceof Problem && error.code === 'not-logged-in' && env.FILEJOBS_TOKEN) {
    const where = typeof error.details.server === 'string' ? error.details.server : 'the server'
    return `FILEJOBS_TOKEN holds no token that ${where} accepts: set another one, or unset it and run "filejobs login".`
  }
  if (error instanceof Failure || error instanceof Problem) return error.message
  const code = errorCode(error)
  const known = code === undefined ? undefined : localErrors[code]
  if (known) return `${known.words}${pathOf(error)}`
  return error instanceof Error ? error.message : String(error)
}

/** The system's code of an error, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Errors of the operating system, from the client's own files. */
const localErrors: Record<string, { exit: number; words: string }> = {
  ENOENT: { exit: exitCodes.notFound, words: 'There is no such file or folder' },
  ENOTDIR: { exit: exitCodes.notFound, words: 'A part of the path is not a folder' },
  EACCES: { exit: exitCodes.notAllowed, words: 'Permission denied' },
  EPERM: { exit: exitCodes.notAllowed, words: 'Permission denied' },
  EROFS: { exit: exitCodes.notAllowed, words: 'The file system is read-only' },
  EISDIR: { exit: exitCodes.refused, words: 'This is a folder' },
  EEXIST: { exit: exitCodes.refused, words: 'This exists already' },
  ENOSPC: { exit: exitCodes.noRoom, words: 'No space left on this machine' },
  EDQUOT: { exit: exitCodes.noRoom, words: 'Over the quota on this machine' },
  EFBIG: { exit: exitCodes.noRoom, words: 'The file is too large for the file system' },
  ENAMETOOLONG: { exit: exitCodes.wrongUse, words: 'The name is too long' },
}

function pathOf(error: unknown): string {
  return error instanceof Error && 'path' in error && typeof error.path === 'string' ? `: ${error.path}` : '.'
}
