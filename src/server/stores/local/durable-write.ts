import { open, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Problem } from '../../../protocol/problems.js'

/**
 * Replaces a file whole, mode 0600: a crash leaves the old content or the new one. One writer a file at a time.
 * Throws `disk-full` when there is no space.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  // One fixed name: what a crash leaves behind is overwritten by the next write instead of piling up.
  const temporary = join(dirname(path), `.${basename(path)}.tmp`)
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (error) {
    if (!isDiskFull(error)) throw error
    throw new Problem('disk-full', `No space is left to write ${basename(path)}.`, {}, { cause: error })
  }
}

/**
 * Makes a rename or a new entry in the folder durable. fsync(2): "Calling fsync() does not necessarily ensure that the
 * entry in the directory containing the file has also reached disk."
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
