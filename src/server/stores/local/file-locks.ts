import { PathMutex } from '../../concurrency/path-mutex.js'
import type { Space } from '../files.js'

/** One change at a time for each file's name, and for each folder with everything in it. */
export class FileLocks {
  readonly #locks = new PathMutex()

  hold<T>(space: Space, name: string, work: () => Promise<T>): Promise<T> {
    return this.holdAll(space, [name], work)
  }

  /** Locks several names and folders. A folder is a name that ends with a slash; `''` is the whole space. */
  holdAll<T>(space: Space, names: readonly string[], work: () => Promise<T>): Promise<T> {
    const keys = names.map((name) => keyOf(space, name))
    return this.#locks.run(keys, work)
  }

  /**
   * Runs work that reads a file, or a list of all names with a prefix, once all earlier changes are complete. No folder
   * of it is moved or removed meanwhile. The work must not wait for a lock.
   */
  read<T>(space: Space, name: string, work: () => Promise<T>): Promise<T> {
    return this.#locks.read(keyOf(space, name), work)
  }

  /** Resolves when all earlier changes are complete. */
  settled(space: Space, name: string): Promise<void> {
    return this.read(space, name, async () => {})
  }
}

function keyOf({ role, username }: Space, name: string): string {
  return `${role}/${username}/${name}`
}
