import { fileFault, isFull } from '../protocol/file-errors.js'
import { Failure } from './exit-codes.js'

/**
 * For the `catch` of code that writes to `path`: reports a full disk or quota on this machine with the path, which the
 * system's error lacks. Rethrows other errors unchanged.
 */
export function wordNoRoom(path: string): (error: unknown) => never {
  return (error) => {
    if (!isFull(error)) throw error
    const words = fileFault(error) === 'full' ? 'No space left on this machine' : 'No quota left on this machine'
    throw new Failure('noRoom', `${words} for ${path}: free some space, or write elsewhere with -o.`, { cause: error })
  }
}
