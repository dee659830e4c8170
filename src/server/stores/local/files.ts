import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  statfs,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import { Problem } from '../../../protocol/problems.js'
import type { FileStore, OpenFile, Partial, Precondition, Space, StoredFile } from '../files.js'
import { openDigests } from './digests.js'
import { type Description, FileMetadata } from './file-metadata.js'
import {
  belowFile,
  findPath,
  isFolder,
  makeFolders,
  removeEmptyFolders,
  spaceFolder,
  syncFolder,
} from './file-paths.js'
import { NameLocks } from './name-locks.js'
import {
  createPartial,
  type LocalPartial,
  listPartials,
  type PartialContext,
  partialUsage,
  removePartial,
  reopenPartial,
} from './partials.js'

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
      return openFile(await metadata.describe(space, name, await handle.stat({ bigint: true })), handle)
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
        await syncFolder(dirname(path))
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
        await syncFolder(dirname(source))
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

/**
 * The names of regular files below `top`, sorted: a folder sorts as its name with a slash, which is how its files' names
 * go on. Symbolic links are left out.
 */
async function* namesBelow(top: string, folder: string, prefix: string, after: string): AsyncGenerator<string> {
  const entries = await readdir(join(top, folder), { withFileTypes: true }).catch(missingAsUndefined)
  const keys = (entries ?? [])
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => folder + (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort(byCodeUnits)
  for (const key of keys) {
    if (key.endsWith('/')) {
      const mayHold = (key.startsWith(prefix) || prefix.startsWith(key)) && (key > after || after.startsWith(key))
      if (mayHold) yield* namesBelow(top, key, prefix, after)
    } else if (key.startsWith(prefix) && key > after) yield key
  }
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

async function openRegular(path: string): Promise<FileHandle | undefined> {
  // O_NONBLOCK: a named pipe that somebody put there must not hold the server up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(missingAsUndefined)
  if (!handle || (await handle.stat()).isFile()) return handle
  await handle.close()
  return undefined
}

/** False where there is no regular file. */
async function linkRegular(path: string, target: string): Promise<boolean> {
  const linked = await link(path, target).then(
    () => true,
    async (error: NodeJS.ErrnoException) => {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(error.code ?? '')) return false
      // Some systems refuse to link a file of another user, others cannot link at all. A copy will do.
      if (!(await lstat(path)).isFile()) return false
      await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      return true
    },
  )
  if (!linked || (await lstat(target)).isFile()) return linked
  await rm(target)
  return false
}

function openFile(file: StoredFile, handle: FileHandle): OpenFile {
  let closed: Promise<void> | undefined
  return {
    file,
    async read(buffer, position) {
      return (await handle.read(buffer, 0, buffer.length, position)).bytesRead
    },
    async close() {
      closed ??= handle.close()
      await closed
    },
  }
}

/** Throws `precondition-failed`. */
function checkPrecondition(file: StoredFile | undefined, precondition: Precondition | undefined): void {
  const { ifMatch, ifNoneMatch } = precondition ?? {}
  if (ifNoneMatch && file) {
    throw new Problem('precondition-failed', `"${file.name}" exists already.`, { name: file.name })
  }
  if (ifMatch && !(file && (ifMatch === '*' || ifMatch.includes(file.entityTag)))) {
    throw new Problem('precondition-failed', 'The file is not the one that If-Match names: it has changed, or is gone.')
  }
}

function missingAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code ?? '')) throw error
}
