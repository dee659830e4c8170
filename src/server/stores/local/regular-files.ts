import { constants } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, open, rm } from 'node:fs/promises'
import type { OpenFile, StoredFile } from '../files.js'

/** Opens a regular file for reading; undefined where there is none. */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  // O_NONBLOCK: a named pipe that somebody put there must not hold the server up.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(missingAsUndefined)
  if (!handle || (await handle.stat()).isFile()) return handle
  await handle.close()
  return undefined
}

/** Gives a regular file a second name, or copies it where that cannot be. False where there is no regular file. */
export async function linkRegular(path: string, target: string): Promise<boolean> {
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

/** A file as those who send it read it. */
export function asOpenFile(file: StoredFile, handle: FileHandle): OpenFile {
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

/** For `catch`: what cannot be reached, or is no file of ours, does not exist. */
export function missingAsUndefined(error: NodeJS.ErrnoException): undefined {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code ?? '')) throw error
}
