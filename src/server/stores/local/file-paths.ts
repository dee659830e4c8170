import { mkdir, realpath, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileFault, isMissing, isOccupied, isUnreachable } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import type { Space } from '../files.js'
import { syncFolder } from './durable-write.js'

/** The folder of an account's files. `root` is a real path. */
export function spaceFolder(root: string, { role, username }: Space): string {
  return join(root, role, username)
}

/**
 * The path of a name, if all its folders are real ones: undefined if one is missing, a file or a symbolic link, so that
 * nothing outside the account's folder is reached. `openFolder` and `openRegular` enforce that at the time of use;
 * until then another process of the same user can replace a folder.
 */
export async function findPath(root: string, space: Space, name: string): Promise<string | undefined> {
  const path = join(spaceFolder(root, space), name)
  const folder = dirname(path)
  const real = await realpath(folder).catch((error) => {
    if (!isUnreachable(error)) throw error
  })
  return real === folder ? path : undefined
}

/** Creates the folders of a name, durably. Throws `name-conflict` if one of them is a file or a link. */
export async function makeFolders(root: string, space: Space, name: string): Promise<string> {
  const path = join(spaceFolder(root, space), name)
  const folder = dirname(path)
  if (!(await isWithoutLinks(folder))) throw belowFile(name)
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error) => {
    if (['below-file', 'exists'].includes(fileFault(error) ?? '')) throw belowFile(name)
    throw error
  })
  if ((await realpath(folder)) !== folder) throw belowFile(name)
  if (firstMade) {
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) await syncFolder(dirname(made))
  }
  return path
}

/**
 * Whether the existing part of the path is real: otherwise folders would be created behind a link, possibly outside.
 */
async function isWithoutLinks(folder: string): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const real = await realpath(path).catch((error) => {
      if (['below-file', 'link'].includes(fileFault(error) ?? '')) return ''
      if (!isMissing(error)) throw error
    })
    if (real !== undefined) return real === path
  }
}

/** Makes a removal from the folder durable; if another removal has removed the empty folder, in its parent. */
export async function syncRemoval(folder: string): Promise<void> {
  try {
    await syncFolder(folder)
  } catch (error) {
    if (!isMissing(error)) throw error
    await syncRemoval(dirname(folder))
  }
}

/** Removes the folders that a removal has left empty, up to the account's own, unless they are kept. */
export async function removeEmptyFolders(
  root: string,
  space: Space,
  name: string,
  marks: { isKept(space: Space, folder: string): Promise<boolean> },
): Promise<void> {
  const top = spaceFolder(root, space)
  for (let folder = dirname(name); folder !== '.'; folder = dirname(folder)) {
    if (await marks.isKept(space, `${folder}/`)) return
    const removed = await rmdir(join(top, folder)).then(
      () => true,
      (error) => {
        if (isOccupied(error) || isMissing(error)) return false
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
