import { lstat, mkdir, readdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileFault, isMissing } from '../../../protocol/file-errors.js'
import { faultOfName } from '../../../protocol/file-name.js'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import type { FileLines, Folders, Level, LevelQuery } from '../folders.js'
import { parseCursor } from '../level-cursor.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import { asRemoved, type DiscardedFolders } from './discarded-folders.js'
import type { ReserveUse } from './disk-reserve.js'
import { syncFolder } from './durable-write.js'
import type { FileLocks } from './file-locks.js'
import type { FileMetadata } from './file-metadata.js'
import { belowFile, findPath, makeFolders, removeEmptyFolders } from './file-paths.js'
import type { FolderRenames } from './folder-renames.js'
import type { Listing } from './listing.js'
import { missingAsUndefined } from './missing.js'
import type { RestoredFiles } from './restored-files.js'

export interface LocalFoldersServices {
  /** A real path. */
  root: string
  metadata: FileMetadata
  locks: FileLocks
  listing: Listing
  restored: RestoredFiles
  renames: FolderRenames
  discarded: DiscardedFolders
  /** Some file systems need space to rename or remove a folder. */
  reserve: ReserveUse
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
}

/** Folders as plain folders below `uploads/`. */
export class LocalFolders implements Folders {
  readonly #services: LocalFoldersServices

  constructor(services: LocalFoldersServices) {
    this.#services = services
  }

  async list(space: Space, { cursor, ...query }: LevelQuery): Promise<Level> {
    const { locks, listing, restored, checkFolder } = this.#services
    const after = cursor === undefined ? null : parseCursor(cursor, query.sort)
    const level = await locks.read(space, query.prefix, () => listing.level(space, { ...query, after }))
    if (level.files.length + level.folders.length === 0) await checkFolder()
    if (level.files.some(({ unverified }) => unverified)) restored.check(space)
    return level
  }

  async records(space: Space, query: { prefix: string; after: string }): Promise<FileLines> {
    const { locks, listing, restored, checkFolder } = this.#services
    const { lines, last, unverified } = await locks.read(space, query.prefix, () => listing.lines(space, query))
    if (lines.length === 0) await checkFolder()
    if (unverified) restored.check(space)
    return { lines, last }
  }

  async exists(space: Space, folder: string): Promise<boolean> {
    return this.#services.locks.read(space, folder, async () => (await this.#find(space, folder)) !== undefined)
  }

  create(space: Space, folder: string): Promise<boolean> {
    const { root, locks, metadata } = this.#services
    return locks.holdAll(space, [folder], async () => {
      const isThere = (await this.#findSurely(space, folder)) !== undefined
      if (!isThere) await retryMissing(() => makeFolder(root, space, folder))
      await metadata.keepFolder(space, folder)
      return !isThere
    })
  }

  remove(
    space: Space,
    folder: string,
    { precondition, onlyEmpty = false }: Parameters<Folders['remove']>[2] = {},
  ): Promise<boolean> {
    const { root, locks, metadata, discarded, renames, reserve } = this.#services
    return locks.holdAll(space, [folder], async () => {
      const path = await this.#findSurely(space, folder)
      if (path === undefined) return false
      checkPrecondition(validatorsOf(folder), precondition)
      if (onlyEmpty && (await readdir(path)).length > 0) throw notEmpty(folder)
      const renamed = (place: string) => renames.run(asRemoved(place, path, metadata.folder(space, folder)))
      await reserve.use(() => discarded.fill(renamed))
      await removeEmptyFolders(root, space, nameOf(folder), metadata)
      return true
    })
  }

  async move(space: Space, from: string, to: string, precondition?: Precondition): Promise<void> {
    const { root, locks, metadata, renames, reserve } = this.#services
    if (to.startsWith(from)) throw new Problem('name-conflict', `"${from}" cannot be moved into itself.`, { name: to })
    await locks.holdAll(space, [from, to], async () => {
      const path = await this.#findSurely(space, from)
      if (path === undefined) throw new Problem('file-not-found', `There is no folder "${from}".`, { name: from })
      checkPrecondition(validatorsOf(from), precondition)
      await this.#checkNames(space, from, to)
      await retryMissing(async () => {
        const target = await makeFolders(root, space, nameOf(to))
        if (await lstat(target).catch(missingAsUndefined)) throw isTaken(to)
        await reserve.use(() =>
          renames.run([
            [path, target],
            [metadata.folder(space, from), metadata.folder(space, to)],
          ]),
        )
      })
      await removeEmptyFolders(root, space, nameOf(from), metadata)
    })
  }

  /** Names below the new one must not become too long. */
  async #checkNames(space: Space, from: string, to: string): Promise<void> {
    const more = Buffer.byteLength(to) - Buffer.byteLength(from)
    if (more <= 0) return
    const longest = await this.#services.listing.longestName(space, from)
    const fault = longest === undefined ? undefined : faultOfName(to + longest.slice(from.length))
    if (fault === undefined) return
    throw new Problem('name-conflict', `"${from}" cannot be moved to "${to}": a name in it then ${fault}.`, {
      name: to,
    })
  }

  async #find(space: Space, folder: string): Promise<string | undefined> {
    const path = await findPath(this.#services.root, space, nameOf(folder))
    const stats = path ? await lstat(path).catch(missingAsUndefined) : undefined
    return stats?.isDirectory() ? path : undefined
  }

  /** Like `#find`; throws `storage-unavailable` if nothing is found because the data folder is missing. */
  async #findSurely(space: Space, folder: string): Promise<string | undefined> {
    const path = await this.#find(space, folder)
    if (path === undefined) await this.#services.checkFolder()
    return path
  }
}

async function makeFolder(root: string, space: Space, folder: string): Promise<void> {
  const path = await makeFolders(root, space, nameOf(folder))
  await mkdir(path, { mode: 0o700 }).catch((error) => {
    if (fileFault(error) === 'exists') throw isTaken(folder)
    if (fileFault(error) === 'below-file') throw belowFile(folder)
    throw error
  })
  await syncFolder(dirname(path))
}

/** Another removal may remove the empty folder above in between, repeatedly. */
async function retryMissing(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      if (!isMissing(error) || attempt === maxAttempts) throw error
    }
  }
}

/** A folder exists, but has no entity tag and no date: `If-Match: *` holds. */
function validatorsOf(folder: string): { name: string; entityTag: string } {
  return { name: folder, entityTag: '' }
}

function nameOf(folder: string): string {
  return folder.slice(0, -1)
}

function isTaken(folder: string): Problem {
  return new Problem('name-conflict', `There is already something with the name "${nameOf(folder)}".`, { name: folder })
}

function notEmpty(folder: string): Problem {
  return new Problem('name-conflict', `"${folder}" is not empty.`, { name: folder })
}

const maxAttempts = 10
