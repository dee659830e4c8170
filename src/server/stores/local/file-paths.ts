import { mkdir, realpath, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import { syncFolder } from './durable-write.js'

/** Where an account's files lie. `root` is a real path. */
export function spaceFolder(root: string, { role, username }: Space): string {
  return join(root, role, username)
}

/**
 * The path of a name, where the folders that lead to it are real ones: undefined where one is missing, is a file or is
 * a symbolic link, so that nothing outside the account's folder is ever reached.
 */
export async function findPath(root: string, space: Space, name: string): Promise<string | undefined> {
  const path = join(spaceFolder(root, space), name)
  const folder = dirname(path)
  const real = await realpath(folder).catch((error: NodeJS.ErrnoException) => {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes(error.code ?? '')) throw error
  })
  return real === folder ? path : undefined
}

/** Makes the folders that lead to a name, durably. Throws `name-conflict` where one of them is a file or a link. */
export async function makeFolders(root: string, space: Space, name: string): Promise<string> {
  const path = join(spaceFolder(root, space), name)
  const folder = dirname(path)
  if (!(await isWithoutLinks(folder))) throw belowFile(name)
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOTDIR' || error.code === 'EEXIST') throw belowFile(name)
    throw error
  })
  if ((await realpath(folder)) !== folder) throw belowFile(name)
  if (firstMade) {
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
  }
  return path
}

/** Whether the part of the path that is there is real: else folders would be made behind a link, outside perhaps. */
async function isWithoutLinks(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const real = await realpath(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTDIR' || error.code === 'ELOOP') return ''
      if (error.code !== 'ENOENT') throw error
    })
    if (real !== undefined) return real === path
  }
}

/** Makes a removal from the folder durable; where another removal has taken the emptied folder away, then in the one above. */
export async function syncRemoval(folder: string): Promise<void> {
  try {
    await syncFolder(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    await syncRemoval(dirname(folder))
  }
}

/** Removes the folders that a removal left empty, up to the account's own. */
export async function removeEmptyFolders(root: string, space: Space, name: string): Promise<void> {
  const top = spaceFolder(root, space)
  for (let folder = dirname(join(top, name)); folder !== top; folder = dirname(folder)) {
    const removed = await rmdir(folder).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(error.code ?? '')) return false
        throw error
      },
    )
    if (!removed) return
  }
}

export function belowFile(name: string): Problem {
  return new Problem('name-conflict', `"${name}" cannot be stored: one of its folders is the name of a file.`, { name })
}

export function isFolder(name: string): Problem {
  return new Problem('name-conflict', `"${name}" cannot be stored: it is a folder.`, { name })
}
