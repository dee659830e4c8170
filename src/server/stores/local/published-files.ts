import { lstat, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileFault, isMissing } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { damagedFile } from '../damage.js'
import type { OpenFile, PublishedFiles, Space, StoredFile } from '../files.js'
import { checkPrecondition, type Precondition } from '../precondition.js'
import { asRemoved, type DiscardedFolders } from './discarded-folders.js'
import type { ReserveUse } from './disk-reserve.js'
import { belowFile, findPath, isFolder, removeEmptyFolders, spaceFolder, syncRemoval } from './file-paths.js'
import type { FolderRenames } from './folder-renames.js'
import type { Listing } from './listing.js'
import { missingAsUndefined } from './missing.js'
import { inFolderOf } from './open-folder.js'
import type { Publishing, PublishingServices } from './publishing.js'
import { asOpenFile, linkRegular, openRegular } from './regular-files.js'
import type { RestoredFiles } from './restored-files.js'
import type { SmallReads } from './small-reads.js'

export interface PublishedFileServices extends PublishingServices {
  publishing: Publishing
  listing: Listing
  smallReads: SmallReads
  restored: RestoredFiles
  renames: FolderRenames
  discarded: DiscardedFolders
  /** Some file systems need space to remove a file. */
  reserve: ReserveUse
}

/** Files as plain files below `uploads/`. */
export class LocalPublishedFiles implements PublishedFiles {
  readonly #services: PublishedFileServices

  constructor(services: PublishedFileServices) {
    this.#services = services
  }

  async find(space: Space, name: string): Promise<StoredFile | undefined> {
    return (await this.#services.lookup.lookVerified(space, name))?.file
  }

  async open(space: Space, name: string): Promise<OpenFile | undefined> {
    const { locks, lookup, metadata } = this.#services
    const there = await lookup.lookVerified(space, name)
    if (!there) return undefined
    return locks.read(space, name, async () => {
      const handle = await openRegular(there.path)
      if (!handle) return undefined
      try {
        const { file, unverified } = await metadata.describe(space, name, await handle.stat({ bigint: true }))
        if (file.damaged) throw damagedFile(name)
        return asOpenFile(file, handle, unverified && (() => lookup.refuseDamaged(space, name)))
      } catch (error) {
        await handle.close()
        throw error
      }
    })
  }

  async readSmall(space: Space, files: readonly StoredFile[]): Promise<(Uint8Array | undefined)[]> {
    const { root, smallReads } = this.#services
    const top = spaceFolder(root, space)
    const simple = files.filter(({ damaged, unverified }) => !damaged && !unverified)
    const wanted = simple.map(({ name, size, version }) => ({ path: join(top, name), size, version }))
    const bytes = await smallReads.read(wanted)
    const read = new Map(simple.map((file, index) => [file, bytes[index]]))
    return files.map((file) => read.get(file))
  }

  async place(space: Space, name: string, target: string, signal: AbortSignal): Promise<StoredFile | undefined> {
    const { root, locks, lookup, metadata } = this.#services
    await locks.settled(space, name)
    await lookup.refuseDamaged(space, name)
    const path = await findPath(root, space, name)
    signal.throwIfAborted()
    const isPlaced =
      path && (await inFolderOf(path, (entry) => linkRegular(entry, target, signal)).catch(missingAsUndefined))
    if (!isPlaced) return undefined
    return (await metadata.describe(space, name, await lstat(target, { bigint: true }))).file
  }

  async list(
    space: Space,
    { prefix, after, limit, search = '' }: Parameters<PublishedFiles['list']>[1],
  ): Promise<StoredFile[]> {
    const { locks, listing, restored, checkFolder } = this.#services
    const query = { prefix, after, limit, search }
    const found = await locks.read(space, prefix, () => listing.list(space, query))
    if (found.length === 0) await checkFolder()
    if (found.some(({ unverified }) => unverified)) restored.check(space)
    return found
  }

  findMany(space: Space, names: readonly string[]): Promise<(StoredFile | undefined)[]> {
    const { locks, listing } = this.#services
    return locks.read(space, commonPrefix(names), () => listing.find(space, names))
  }

  listEmptyFolders(space: Space, query: Parameters<PublishedFiles['listEmptyFolders']>[1]): Promise<string[]> {
    const { locks, listing } = this.#services
    return locks.read(space, query.prefix, () => listing.emptyFolders(space, query))
  }

  measure(space: Space, prefix: string): Promise<{ files: number; bytes: number }> {
    const { locks, listing } = this.#services
    return locks.read(space, prefix, () => listing.count(space, prefix))
  }

  async checkName(space: Space, name: string): Promise<void> {
    const path = join(spaceFolder(this.#services.root, space), name)
    const stats = await lstat(path).catch((error) => {
      if (fileFault(error) === 'below-file') throw belowFile(name)
      if (!isMissing(error)) throw error
    })
    if (stats?.isDirectory()) throw isFolder(name)
  }

  remove(space: Space, name: string, precondition?: Precondition): Promise<boolean> {
    const { root, locks, lookup, metadata, reserve } = this.#services
    return locks.hold(space, name, async () => {
      const there = await lookup.lookSurely(space, name)
      if (!there) return false
      checkPrecondition(there.file, precondition)
      await inFolderOf(there.path, async (entry, folder) => {
        await reserve.use(() => rm(entry))
        await metadata.remove(space, name)
        await folder.sync()
      })
      await removeEmptyFolders(root, space, name, metadata)
      return true
    })
  }

  move(space: Space, from: string, to: string, precondition?: Precondition): Promise<StoredFile> {
    const { root, locks, lookup, metadata, publishing } = this.#services
    return locks.holdAll(space, [from, to], async () => {
      const there = await lookup.lookSurely(space, from)
      if (!there) throw new Problem('file-not-found', `There is no file "${from}".`, { name: from })
      checkPrecondition(there.file, precondition)
      checkPrecondition((await lookup.look(space, to))?.file, { ifNoneMatch: '*' })
      const about = there.version ?? there.unverified
      const moved = await inFolderOf(there.path, (entry) => publishing.moveIntoPlace(entry, space, to, about))
      await metadata.remove(space, from)
      await syncRemoval(dirname(there.path))
      await removeEmptyFolders(root, space, from, metadata)
      return moved
    })
  }

  async usage(space: Space): Promise<number> {
    const { listing, checkFolder } = this.#services
    const bytes = await listing.usage(space)
    if (bytes === 0) await checkFolder()
    return bytes
  }

  async removeSpace(space: Space): Promise<void> {
    const { root, locks, metadata, renames, discarded, reserve, checkFolder } = this.#services
    await locks.holdAll(space, [''], async () => {
      const path = spaceFolder(root, space)
      if (await lstat(path).catch(missingAsUndefined)) {
        const renamed = (place: string) => renames.run(asRemoved(place, path, metadata.folder(space, '')))
        await reserve.use(() => discarded.fill(renamed))
      } else await checkFolder()
      await metadata.removeSpace(space)
    })
  }
}

/** Of at least one name. */
function commonPrefix(names: readonly string[]): string {
  const [first = ''] = names
  let length = first.length
  for (const name of names) while (!name.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}
