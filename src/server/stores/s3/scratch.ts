import { access, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { openDataRoot } from '../local/data-folder.js'
import { type DataLock, lockDataFolder } from '../local/data-lock.js'

export interface Scratch {
  /** An empty folder. */
  folder: string
  lock: DataLock
}

/**
 * Locks the folder, and empties the part of it that servers with a bucket use: it may be lost at any time. Throws `busy` while
 * another server uses it, and `invalid-request` for one that holds the files of a server without a bucket.
 */
export async function openScratch(path: string): Promise<Scratch> {
  const root = await openDataRoot(path)
  if (await isDataFolder(root)) {
    const advice = 'which servers with --database do not read: give another folder for their scratch files'
    throw new Problem('invalid-request', `--data: ${root} holds accounts and files, ${advice}.`, { field: '--data' })
  }
  const lock = await lockDataFolder(root)
  const folder = join(root, 'scratch')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o700 })
  return { folder, lock }
}

async function isDataFolder(root: string): Promise<boolean> {
  try {
    await access(join(root, 'accounts.json'))
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
