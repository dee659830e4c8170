import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { missingFile } from '../../../protocol/file-errors.js'
import { missingAsUndefined } from './missing.js'

/** An open folder. Operations by `entry` apply to this folder, even if another one takes its path. */
export interface OpenFolder {
  /** The path of its entry with this name. */
  entry(name: string): string
  /** Makes changes in it durable. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the folder of a real path: undefined if it is missing, or one of its parents is a symbolic link. On Linux
 * nothing can replace it between this check and the use of `entry`. Elsewhere another process of the same user still
 * can.
 */
export async function openFolder(path: string): Promise<OpenFolder | undefined> {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW
  const handle = await open(path, flags).catch(missingAsUndefined)
  if (!handle) return undefined
  try {
    if (await isAt(handle, path)) {
      const base = (await pathOf(handle)) === undefined ? path : descriptorPath(handle)
      return { entry: (name) => join(base, name), sync: () => handle.sync(), close: () => handle.close() }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
  await handle.close()
  return undefined
}

/**
 * Runs `work` on the entry of a real path, in its folder, which is opened first. Throws the system's error if there is
 * no such folder.
 */
export async function inFolderOf<T>(path: string, work: (entry: string, folder: OpenFolder) => Promise<T>): Promise<T> {
  const folder = await openFolder(dirname(path))
  if (!folder) throw missingFile(`There is no folder ${dirname(path)}.`)
  try {
    return await work(folder.entry(basename(path)), folder)
  } finally {
    await folder.close()
  }
}

/** Whether the open file has this real path, without a symbolic link in it, or had it until it was removed. */
export async function isAt(handle: FileHandle, path: string): Promise<boolean> {
  const own = await pathOf(handle)
  if (own !== undefined) return own === path || own === `${path} (deleted)`
  const [real, there, opened] = await Promise.all([
    realpath(path).catch(missingAsUndefined),
    lstat(path).catch(missingAsUndefined),
    handle.stat(),
  ])
  return real === path && there?.dev === opened.dev && there.ino === opened.ino
}

/**
 * proc(5): the link holds the path of the open file itself, not the one by which it was opened. Undefined elsewhere.
 */
function pathOf(handle: FileHandle): Promise<string | undefined> {
  return readlink(descriptorPath(handle)).catch(missingAsUndefined)
}

function descriptorPath(handle: FileHandle): string {
  return `/proc/self/fd/${handle.fd}`
}
