import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Problem } from '../../../protocol/problems.js'

/** The folder that a server keeps everything in, as absolute paths. */
export interface DataFolder {
  readonly root: string
  /** The published files, `ROLE/USER/NAME`. */
  readonly uploads: string
  /** Bytes received and not yet published; on the same device as `uploads`. */
  readonly partial: string
  readonly meta: string
  readonly tables: string
}

/**
 * Makes the folder and its parts, mode 0700, and proves that files can be written in `partial` and renamed into `uploads`.
 * Throws with what stands in the way. The mode of a folder that was in use before is its owner's choice and kept.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const root = resolve(path)
  const folder: DataFolder = {
    root,
    uploads: join(root, 'uploads'),
    partial: join(root, 'partial'),
    meta: join(root, 'meta'),
    tables: join(root, 'tables'),
  }
  try {
    await mkdir(root, { recursive: true, mode: 0o700 })
    if ((await readdir(root)).length === 0) await chmod(root, 0o700)
    for (const part of [folder.uploads, folder.partial, folder.meta, folder.tables]) {
      await mkdir(part, { recursive: true, mode: 0o700 })
    }
    await proveRename(folder)
  } catch (error) {
    throw explain(error, root)
  }
  return folder
}

/** Comparing devices is not enough: a bind mount has the same device and refuses the rename all the same. */
async function proveRename({ partial, uploads }: DataFolder): Promise<void> {
  if ((await stat(partial)).dev !== (await stat(uploads)).dev) throw twoDevices(partial, uploads)
  const name = `.probe-${randomUUID()}`
  try {
    await writeFile(join(partial, name), 'probe', { mode: 0o600 })
    await rename(join(partial, name), join(uploads, name))
  } catch (error) {
    throw codeOf(error) === 'EXDEV' ? twoDevices(partial, uploads) : error
  } finally {
    await rm(join(partial, name), { force: true })
    await rm(join(uploads, name), { force: true })
  }
}

function twoDevices(partial: string, uploads: string): Problem {
  const reason = 'a file must become visible by a rename, whole or not at all'
  return new Problem(
    'internal',
    `${partial} and ${uploads} are not on one file system: ${reason}. Put both on the same.`,
  )
}

function explain(error: unknown, root: string): unknown {
  if (error instanceof Problem) return error
  const code = codeOf(error)
  if (code === undefined) return error
  const advice = advices[code] ?? 'choose another folder with --data'
  return new Problem('internal', `The data folder ${root} cannot be used (${code}): ${advice}.`, {}, { cause: error })
}

const advices: Record<string, string> = {
  EACCES: 'this user may not read and write there; change its owner or choose another folder with --data',
  EPERM: 'this user may not read and write there; change its owner or choose another folder with --data',
  EROFS: 'the file system is read-only; choose another folder with --data',
  ENOTDIR: 'a part of the path is a file; choose another folder with --data',
  EEXIST: 'there is a file of that name; choose another folder with --data',
  ENOSPC: 'no space is left there',
  EDQUOT: 'no space is left there',
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
