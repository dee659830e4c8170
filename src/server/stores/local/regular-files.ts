import { constants, createReadStream, createWriteStream } from 'node:fs'
import { copyFile, type FileHandle, link, lstat, open, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { isUnreachable } from '../../../protocol/file-errors.js'
import type { OpenFile, StoredFile } from '../files.js'
import { versionOf } from './file-description.js'
import { missingAsUndefined } from './missing.js'
import { isAt } from './open-folder.js'

/** Opens a regular file by its real path for reading; undefined if there is none, also behind a symbolic link. */
export async function openRegular(path: string): Promise<FileHandle | undefined> {
  // O_NONBLOCK: a named pipe in the folder must not block the server.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(missingAsUndefined)
  if (!handle || ((await handle.stat()).isFile() && (await isAt(handle, path)))) return handle
  await handle.close()
  return undefined
}

/**
 * Creates a hard link to a regular file, or a copy if that is not possible. False if there is no regular file. Throws
 * the signal's reason.
 */
export async function linkRegular(path: string, target: string, signal: AbortSignal): Promise<boolean> {
  const linked = await link(path, target).then(
    () => true,
    async (error) => {
      if (isUnreachable(error)) return false
      // Some systems refuse to link a file of another user, others have no hard links. A copy is sufficient.
      if (!(await lstat(path)).isFile()) return false
      await copyRegular(path, target, signal)
      return true
    },
  )
  if (!linked || (await lstat(target)).isFile()) return linked
  await rm(target)
  return false
}

/** Instantaneous if the file system shares blocks between files. */
async function copyRegular(path: string, target: string, signal: AbortSignal): Promise<void> {
  try {
    await copyFile(path, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE)
  } catch {
    const copy = createWriteStream(target, { flags: 'wx', mode: 0o600 })
    await pipeline(createReadStream(path), copy, { signal }).catch((error) => {
      signal.throwIfAborted()
      throw error
    })
  }
}

/** An open file for reading. `beforeEnd` may refuse the last bytes, so that no reader takes it for complete. */
export function asOpenFile(file: StoredFile, handle: FileHandle, beforeEnd?: () => Promise<void>): OpenFile {
  let closed: Promise<void> | undefined
  return {
    file,
    async read(buffer, position) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
      if (beforeEnd && position + bytesRead >= file.size) await beforeEnd()
      return bytesRead
    },
    isUnchanged: async () => versionOf(await handle.stat({ bigint: true })) === file.version,
    async close() {
      closed ??= handle.close()
      await closed
    },
  }
}
