import { open, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { diskFull, isDiskFull } from '../disk-full.js'

/**
 * Replaces a file atomically, mode 0600: after a crash it has the old content or the new one. One writer per file at a
 * time. Throws `disk-full` if there is no space.
 */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  // One fixed name: the remains of a crash are overwritten by the next write instead of accumulating.
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
    throw isDiskFull(error) ? diskFull(error) : error
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
