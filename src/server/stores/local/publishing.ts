import { lstat, rename } from 'node:fs/promises'
import { fileFault } from '../../../protocol/file-errors.js'
import type { Space, StoredFile } from '../files.js'
import { findFreeNumber, numberedName } from '../numbered-name.js'
import type { PublishedPartial, PublishTarget } from '../partials.js'
import { checkPrecondition } from '../precondition.js'
import { identify, type Version } from './file-description.js'
import type { FileLocks } from './file-locks.js'
import type { FileLookup } from './file-lookup.js'
import type { FileMetadata } from './file-metadata.js'
import { belowFile, findPath, isFolder, makeFolders } from './file-paths.js'
import { missingAsUndefined } from './missing.js'
import { inFolderOf } from './open-folder.js'

export interface PublishingServices {
  /** A real path. */
  root: string
  metadata: FileMetadata
  locks: FileLocks
  lookup: FileLookup
  /** Throws `storage-unavailable` if the folder of the files is missing. */
  checkFolder(): Promise<void>
}

/** Publishes files under their names, atomically and durably. */
export class Publishing {
  readonly #services: PublishingServices

  constructor(services: PublishingServices) {
    this.#services = services
  }

  /** Like `PartialFile.publish`, for the file at `path`. */
  publish(path: string, target: PublishTarget): Promise<PublishedPartial> {
    if (target.isNumbered) return this.#publishNumbered(path, target)
    const { space, name, sha256, type, precondition } = target
    const { locks, lookup } = this.#services
    return locks.hold(space, name, async () => {
      const before = (await lookup.look(space, name))?.file
      checkPrecondition(before, precondition)
      return { file: await this.moveIntoPlace(path, space, name, { sha256, type }), created: !before }
    })
  }

  async #publishNumbered(path: string, { space, name, sha256, type }: PublishTarget): Promise<PublishedPartial> {
    for (;;) {
      const n = await findFreeNumber((n) => this.#isTaken(space, numberedName(name, n)))
      const free = numberedName(name, n)
      const file = await this.#services.locks.hold(space, free, async () => {
        // Another one may have got it.
        if (await this.#isTaken(space, free)) return undefined
        return this.moveIntoPlace(path, space, free, { sha256, type })
      })
      if (file) return { file, created: true }
    }
  }

  /** By whatever it is: also what is not served must not be replaced. */
  async #isTaken(space: Space, name: string): Promise<boolean> {
    const path = await findPath(this.#services.root, space, name)
    return path !== undefined && (await lstat(path).catch(missingAsUndefined)) !== undefined
  }

  /**
   * Renames `from` to the name, creating its folders, durably. The metadata is written first, so that on a full disk
   * nothing changes. A concurrent removal may remove an empty folder in between, repeatedly: then it retries. The
   * caller holds the name's lock.
   */
  async moveIntoPlace(
    from: string,
    space: Space,
    name: string,
    about: Version | Pick<Version, 'sha256' | 'type'> | undefined,
  ): Promise<StoredFile> {
    const { root, metadata, checkFolder } = this.#services
    const stats = await lstat(from, { bigint: true }).catch(async (error) => {
      await checkFolder()
      throw error
    })
    for (let attempt = 1; ; attempt++) {
      try {
        const path = await makeFolders(root, space, name)
        await inFolderOf(path, async (entry, folder) => {
          const there = await lstat(entry, { bigint: true }).catch(missingAsUndefined)
          if (there?.isDirectory()) throw isFolder(name)
          // A version from before the move keeps its marks: a restored file is not verified by moving it.
          if (about) await metadata.write(space, name, { ...identify(stats), ...about }, there)
          await rename(from, entry)
          await folder.sync()
        })
        return (await metadata.describe(space, name, stats)).file
      } catch (error) {
        const fault = fileFault(error)
        if (fault === 'folder' || fault === 'not-empty') throw isFolder(name)
        if (fault === 'below-file') throw belowFile(name)
        if (fault !== 'missing' || attempt === maxAttempts) throw error
      }
    }
  }
}

/** Each time, another removal must have intervened. */
const maxAttempts = 10
