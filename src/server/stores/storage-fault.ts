import { fileFault } from '../../protocol/file-errors.js'
import { Problem } from '../../protocol/problems.js'

/**
 * The problem to respond with if the system refuses access to the data folder, or the database is away; undefined for any other
 * error.
 */
export function storageFaultOf(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, path, syscall } = error as NodeJS.ErrnoException
  // The client library adds the query to errors of its connection.
  const isOfQuery = syscall === 'connect' || 'query' in error
  if (awayCodes.test(code ?? '') || (isOfQuery && syscall !== undefined)) return databaseAway(error)
  if (isOfDeletedNode(error)) return claimLost(error)
  if (code === characterNotInRepertoire) return notStorable(error)
  // Data of a failed sync is lost: repeating the request does not restore it.
  const fault = fileFault(error)
  if (fault === 'read-only' && syscall !== 'fdatasync') return storageUnavailable('is read-only', error)
  if (fault === 'stale') return storageUnavailable('is not answering', error)
  if (fault !== 'forbidden' || path === undefined || syscall?.startsWith('spawn')) return undefined
  const advice = 'its operator has to change the owner or the mode of the file or its folder'
  return new Problem('not-accessible', `The server may not access this (${code}): ${advice}.`, {}, { cause: error })
}

/** For the `catch` of what can be answered in part without the storage: null while that is away. Throws other errors again. */
export function nullWithoutStorage(error: unknown): null {
  const fault = error instanceof Problem ? error : storageFaultOf(error)
  if (fault?.code === 'storage-unavailable') return null
  throw error
}

/** Of the client library, and of PostgreSQL (appendix A): it shuts down, starts, or has too many connections. */
const awayCodes = /^(?:CONNECTION_(?:CLOSED|DESTROYED|ENDED)|CONNECT_TIMEOUT|57P0[1-3]|53300)$/

/** PostgreSQL (appendix A): a text has a NUL. Only what a request names comes to it with one. */
const characterNotInRepertoire = '22021'

function notStorable(cause: unknown): Problem {
  return new Problem('invalid-request', 'A text has a NUL character (\\0): leave it out.', {}, { cause })
}

function databaseAway(cause: unknown): Problem {
  const message = 'The database does not answer: its operator has to look at it, then try again.'
  return new Problem('storage-unavailable', message, { retryAfter: 2 }, { cause })
}

/** Whether a row was to belong to a server whose registration others have deleted: PostgreSQL's foreign_key_violation. */
function isOfDeletedNode(error: Error & { code?: unknown; constraint_name?: unknown }): boolean {
  return error.code === '23503' && /_(?:node|asked_by)_fkey$/.test(String(error.constraint_name))
}

/** The problem of what a server was doing when others found it dead. */
export function claimLost(cause?: unknown): Problem {
  const why = 'This server did not reach the database for too long'
  return new Problem('storage-unavailable', `${why}: others have ended its jobs. Try again.`, {}, { cause })
}

/** `state` completes the sentence "The data folder is …". */
export function storageUnavailable(state: string, cause?: unknown): Problem {
  const message = `The server's data folder ${state}: its operator has to look at it, then try again.`
  return new Problem('storage-unavailable', message, {}, { cause })
}
