import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { fileFault, isUnreachable } from '../../../protocol/file-errors.js'
import { versionOf } from './file-description.js'
import type { SmallFile, SmallReadsAnswer, SmallReadsRequest } from './small-reads.js'

parentPort?.on('message', ({ id, files }: SmallReadsRequest) => {
  const bytes = new Uint8Array(files.reduce((sum, { size }) => sum + size, 0))
  let at = 0
  const isRead = files.map((file) => {
    const target = bytes.subarray(at, at + file.size)
    at += file.size
    return read(file, target)
  })
  parentPort?.postMessage({ id, bytes, isRead } satisfies SmallReadsAnswer, [bytes.buffer])
})

/** False if the file is missing or not that version: another program may write to it at any time. */
function read({ path, version }: SmallFile, target: Uint8Array): boolean {
  let descriptor: number | undefined
  try {
    // O_NONBLOCK: a named pipe in the folder must not block the thread.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if (!isVersion(descriptor, version) || !isAtSync(descriptor, path)) return false
    for (let done = 0; done < target.length; ) {
      const length = readSync(descriptor, target, done, target.length - done, done)
      if (length === 0) return false
      done += length
    }
    return isVersion(descriptor, version)
  } catch (error) {
    // The caller opens it as usual, and reports the error.
    if (isUnreachable(error) || fileFault(error) !== undefined) return false
    throw error
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

function isVersion(descriptor: number, version: string): boolean {
  const stats = fstatSync(descriptor, { bigint: true })
  return stats.isFile() && versionOf(stats) === version
}

/** Like `isAt`: no folder of the path is a symbolic link. */
function isAtSync(descriptor: number, path: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`) === path
  } catch (error) {
    if (!isUnreachable(error)) throw error
    return realpathSync(path) === path
  }
}
