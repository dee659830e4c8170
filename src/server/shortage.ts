import { Problem } from '../protocol/problems.js'

/**
 * The problem for an error whose cause is a lack of descriptors; undefined for any other error. The shortage ends when
 * other requests do, so the client may retry.
 */
export function shortageOf(error: unknown): Problem | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!codes.includes((cause as NodeJS.ErrnoException).code ?? '')) continue
    const message = 'The server has too many files and connections open: try again in a few seconds.'
    return new Problem('busy', message, {}, { cause: error })
  }
  return undefined
}

/** Of this process, of the system, and of a thread that cannot start its event loop. */
const codes = ['EMFILE', 'ENFILE', 'ERR_WORKER_INIT_FAILED']
