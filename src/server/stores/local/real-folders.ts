import { closeSync, constants, fsync, mkdirSync, openSync, readlinkSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fileFault, isMissing, isUnreachable, missingFile } from '../../../protocol/file-errors.js'
import { belowFile } from './file-paths.js'

/** A folder, opened: `entry` leads into this very folder, even if its path is replaced meanwhile. */
export interface RealFolder {
  readonly fd: number
  /** The path of its entry with this name. */
  entry(name: string): string
}

/**
 * The folders into which a worker thread writes, each opened once and created if it is missing. Like `openFolder` and
 * `makeFolders`, but synchronous. `close` is to be called at the end.
 */
export class RealFolders {
  readonly #open = new Map<string, RealFolder>()
  /** Folders in which others were created. */
  readonly #changed = new Set<string>()

  /** Throws `name-conflict` if a part of the path is a file or a link; `name` is the file's that needs the folder. */
  make(path: string, name: string): RealFolder {
    const known = this.#open.get(path)
    if (known) return known
    if (!isWithoutLinks(path)) throw belowFile(name)
    this.#create(path, name)
    const opened = openReal(path)
    if (!opened) throw belowFile(name)
    this.#open.set(path, opened)
    return opened
  }

  /** Forgets a folder that was removed meanwhile, so that `make` creates it again. */
  forget(path: string): void {
    const known = this.#open.get(path)
    if (known) closeSync(known.fd)
    this.#open.delete(path)
  }

  /** Makes the entries of a folder durable, and the folder itself where it was created. */
  async sync(path: string): Promise<void> {
    for (const parent of [...this.#changed]) {
      this.#changed.delete(parent)
      await syncPath(parent)
    }
    const known = this.#open.get(path)
    if (known) await syncDescriptor(known.fd)
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.forget(path)
  }

  #create(path: string, name: string): void {
    try {
      const first = mkdirSync(path, { recursive: true, mode: 0o700 })
      for (let made = path; first !== undefined && made.length >= first.length; made = dirname(made)) {
        this.#changed.add(dirname(made))
      }
    } catch (error) {
      if (['below-file', 'exists'].includes(fileFault(error) ?? '')) throw belowFile(name)
      throw error
    }
  }
}

/** The first existing part of the path is a real one: otherwise folders would be created behind a link. */
function isWithoutLinks(path: string): boolean {
  for (let part = path; ; part = dirname(part)) {
    try {
      return realpathSync.native(part) === part
    } catch (error) {
      if (isMissing(error)) continue
      if (isUnreachable(error)) return false
      throw error
    }
  }
}

/** Undefined if the path leads through a link. On Linux nothing can replace the folder between this check and its use. */
function openReal(path: string): RealFolder | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const own = linkOf(`/proc/self/fd/${fd}`)
  if (own === path) return { fd, entry: (name) => `/proc/self/fd/${fd}/${name}` }
  if (own === undefined && realpathSync.native(path) === path) return { fd, entry: (name) => join(path, name) }
  closeSync(fd)
  if (own === `${path} (deleted)`) throw missingFile(`There is no folder ${path}.`)
  return undefined
}

/** Undefined on systems without such links. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (isUnreachable(error)) return undefined
    throw error
  }
}

const syncDescriptor = promisify(fsync)

async function syncPath(path: string): Promise<void> {
  const fd = openSync(path, 'r')
  try {
    await syncDescriptor(fd)
  } finally {
    closeSync(fd)
  }
}
