import { lstat, mkdir, realpath, rename, rm, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import { Problem } from '../../../protocol/problems.js'
import type { FileStore, Partial, Space, StoredFile } from '../files.js'
import { checkPrecondition } from '../precondition.js'
import { openDigests } from './digests.js'
import { syncFolder } from './durable-write.js'
import { type Description, FileMetadata } from './file-metadata.js'
import { namesBelow } from './file-names.js'
import {
  belowFile,
  findPath,
  isFolder,
  makeFolders,
  removeEmptyFolders,
  spaceFolder,
  syncRemoval,
} from './file-paths.js'
import { NameLocks } from './name-locks.js'
import {
  createPartial,
  type LocalPartial,
  listPartials,
  notePartial,
  type PartialContext,
  partialUsage,
  removePartial,
  reopenPartial,
} from './partials.js'
import { asOpenFile, linkRegular, missingAsUndefined, openRegular } from './regular-files.js'

export interface LocalFileStore extends FileStore {
  close(): Promise<void>
}

/** Files as plain files below `uploads/`, partials in `partial/`, metadata in `meta/` of the data folder. */
export async function openFileStore(dataFolder: string): Promise<LocalFileStore> {
  const folder = async (name: string) => {
    await mkdir(join(dataFolder, name), { recursive: true, mode: 0o700 })
    return realpath(join(dataFolder, name))
  }
  const root = await folder('uploads')
  const partialFolder = await folder('partial')
  const metadata = new FileMetadata(await folder('meta'))
  const locks = new NameLocks()
  const digests = openDigests()
  const partials: PartialContext = { folder: partialFolder, digests, syncs: pLimit(2), publish }
  const keyOf = (space: Space, name: string) => `${space.role}/${space.username}/${name}`

  /** What is there now. The caller holds the name's lock, or has waited for it. */
  async function look(space: Space, name: string): Promise<StoredFile | undefined> {
    const path = await findPath(root, space, name)
    const stats = path ? await lstat(path, { bigint: true }).catch(missingAsUndefined) : undefined
    return stats?.isFile() ? metadata.describe(space, name, stats) : undefined
  }

  async function publish(partial: LocalPartial, target: Parameters<Partial['publish']>[0]) {
    const { space, name } = target
    return locks.hold(keyOf(space, name), async () => {
      const before = await look(space, name)
      checkPrecondition(before, target.precondition)
      const file = await moveIntoPlace(partial.path, space, name, target)
      await partial.close()
      return { file, created: !before }
    })
  }

  /**
   * Renames `from` to the name, making its folders, durably. The metadata is written first, so that a full disk leaves
   * all as it was. A removal may take an empty folder away in between, and another one after that: once more then.
   */
  async function moveIntoPlace(from: string, space: Space, name: string, about: Description | null) {
    const stats = await lstat(from, { bigint: true })
    for (let attempt = 1; ; attempt++) {
      try {
        const path = await makeFolders(root, space, name)
        const there = await lstat(path, { bigint: true }).catch(missingAsUndefined)
        if (there?.isDirectory()) throw isFolder(name)
        if (about) await metadata.write(space, name, stats, about, there)
        await rename(from, path)
        await syncFolder(dirname(path))
        return await metadata.describe(space, name, stats)
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code
        if (code === 'EISDIR' || code === 'ENOTEMPTY') throw isFolder(name)
        if (code === 'ENOTDIR') throw belowFile(name)
        if (code !== 'ENOENT' || attempt === maxAttempts) throw error
      }
    }
  }

  return {
    async find(space, name) {
      await locks.settled(keyOf(space, name))
      return look(space, name)
    },

    async open(space, name) {
      await locks.settled(keyOf(space, name))
      const path = await findPath(root, space, name)
      const handle = path ? await openRegular(path) : undefined
      if (!handle) return undefined
      try {
        return asOpenFile(await metadata.describe(space, name, await handle.stat({ bigint: true })), handle)
      } catch (error) {
        await handle.close()
        throw error
      }
    },

    async linkTo(space, name, target) {
      await locks.settled(keyOf(space, name))
      const path = await findPath(root, space, name)
      if (!path || !(await linkRegular(path, target))) return undefined
      return metadata.describe(space, name, await lstat(target, { bigint: true }))
    },

    async list(space, { prefix, after, limit, search = '' }) {
      const wanted = search.toLowerCase()
      const files: StoredFile[] = []
      for await (const name of namesBelow(spaceFolder(root, space), '', prefix, after)) {
        if (!name.toLowerCase().includes(wanted)) continue
        const file = await look(space, name)
        if (file) files.push(file)
        if (files.length >= limit) break
      }
      return files
    },

    async checkName(space, name) {
      const stats = await lstat(join(spaceFolder(root, space), name)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOTDIR') throw belowFile(name)
        if (error.code !== 'ENOENT') throw error
      })
      if (stats?.isDirectory()) throw isFolder(name)
    },

    async remove(space, name, precondition) {
      return locks.hold(keyOf(space, name), async () => {
        const file = await look(space, name)
        if (!file) return false
        checkPrecondition(file, precondition)
        const path = join(spaceFolder(root, space), name)
        await rm(path)
        await metadata.remove(space, name)
        await syncRemoval(dirname(path))
        await removeEmptyFolders(root, space, name)
        return true
      })
    },

    async move(space, from, to) {
      // Always in the same order, so that two moves across each other do not wait for each other.
      const [first, second] = [keyOf(space, from), keyOf(space, to)].sort() as [string, string]
      const work = async () => {
        const file = await look(space, from)
        if (!file) throw new Problem('file-not-found', `There is no file "${from}".`, { name: from })
        checkPrecondition(await look(space, to), { ifNoneMatch: '*' })
        const source = join(spaceFolder(root, space), from)
        const about = file.sha256 === null ? null : { sha256: file.sha256, type: file.type }
        const moved = await moveIntoPlace(source, space, to, about)
        await metadata.remove(space, from)
        await syncRemoval(dirname(source))
        await removeEmptyFolders(root, space, from)
        return moved
      }
      return first === second ? locks.hold(first, work) : locks.hold(first, () => locks.hold(second, work))
    },

    async usage(space) {
      let bytes = 0
      const top = spaceFolder(root, space)
      for await (const name of namesBelow(top, '', '', '')) {
        bytes += (await lstat(join(top, name)).catch(missingAsUndefined))?.size ?? 0
      }
      return bytes
    },

    async removeSpace(space) {
      await rm(spaceFolder(root, space), { recursive: true, force: true })
      await metadata.removeSpace(space)
    },

    createPartial: (id) => createPartial(id, partials),
    reopenPartial: (id) => reopenPartial(id, partials),
    notePartial: (id, note) => notePartial(id, note, partials),
    listPartials: () => listPartials(partialFolder),
    partialUsage: () => partialUsage(partialFolder),
    removePartial: (id) => removePartial(id, partials),

    async freeBytes() {
      const { bavail, bsize } = await statfs(partialFolder)
      return bavail * bsize
    },

    close: () => digests.close(),
  }
}

/** Each time, another removal must have come in between. */
const maxAttempts = 10
