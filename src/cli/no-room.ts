import { errorCode, Failure } from './exit-codes.js'

/**
 * For the `catch` of what writes to `path`: words a disk or a quota that is full at this end, which the system tells of
 * without a path. Throws other errors as they are.
 */
export function wordNoRoom(path: string): (error: unknown) => never {
  return (error) => {
    const words = full[errorCode(error) ?? '']
    if (words === undefined) throw error
    throw new Failure('noRoom', `${words} for ${path}: free some space, or write elsewhere with -o.`, { cause: error })
  }
}

const full: Record<string, string> = {
  ENOSPC: 'No space left on this machine',
  EDQUOT: 'No quota left on this machine',
}
