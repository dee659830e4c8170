import { randomUUID } from 'node:crypto'
import { access, chmod, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type FileFault, fileFault, isMissing } from '../../../protocol/file-errors.js'
import { Problem } from '../../../protocol/problems.js'
import { checkDataFormat } from './data-format.js'
import { type DiskReserve, openDiskReserve } from './disk-reserve.js'

/** The paths of the data folder, absolute. */
export interface DataFolder {
  readonly root: string
  /** The published files, `ROLE/USER/NAME`. */
  readonly uploads: string
  /** Bytes received and not yet published; on the same device as `uploads`. */
  readonly partial: string
  readonly meta: string
  readonly tables: string
}

export interface OpenDataFolder extends DataFolder {
  readonly reserve: DiskReserve
}

/**
 * Creates the folder and its subfolders, mode 0700, and verifies that files can be written in `partial` and renamed
 * into `uploads`. Throws with the reason if not, and as `checkDataFormat` does. The reserve lets a start succeed on a full disk. The mode of an
 * existing folder is kept.
 */
export async function openDataFolder(path: string): Promise<OpenDataFolder> {
  await checkDataFormat(resolve(path))
  const root = await openDataRoot(path)
  const folder: DataFolder = {
    root,
    uploads: join(root, 'uploads'),
    partial: join(root, 'partial'),
    meta: join(root, 'meta'),
    tables: join(root, 'tables'),
  }
  try {
    for (const part of [folder.uploads, folder.partial, folder.meta, folder.tables]) {
      await mkdir(part, { recursive: true, mode: 0o700 })
    }
    const reserve = await openDiskReserve(root)
    await reserve
      .use(() => proveRename(folder))
      .catch(async (error) => {
        await reserve.close()
        throw error
      })
    return { ...folder, reserve }
  } catch (error) {
    throw explain(error, root)
  }
}

/** Creates the folder, mode 0700, and returns its absolute path. Throws with the reason if it cannot be used. */
export async function openDataRoot(path: string): Promise<string> {
  const root = resolve(path)
  try {
    await makeWithParents(root)
    if ((await readdir(root)).length === 0) await chmod(root, 0o700)
    return root
  } catch (error) {
    throw explain(error, root)
  }
}

/** Throws `invalid-request` for a folder that no server has used, and as `checkDataFormat` does. */
export async function checkHoldsData(root: string): Promise<void> {
  await checkDataFormat(root)
  try {
    await access(join(root, 'accounts.json'))
  } catch (error) {
    const reason = `${root} is no data folder: name the one that the server runs on.`
    throw new Problem('invalid-request', `--data: ${reason}`, { field: '--data' }, { cause: error })
  }
}

/** Unlike Node's `recursive`, which retries forever if the parent exists but accepts no folders, as in /proc. */
async function makeWithParents(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (fileFault(error) === 'exists' && (await stat(path)).isDirectory()) return
    if (!isMissing(error) || (await isThere(dirname(path)))) throw error
    await makeWithParents(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Comparing devices is not sufficient: a bind mount has the same device but refuses the rename. */
async function proveRename({ partial, uploads }: DataFolder): Promise<void> {
  if ((await stat(partial)).dev !== (await stat(uploads)).dev) throw twoDevices(partial, uploads)
  const name = `.probe-${randomUUID()}`
  try {
    await writeFile(join(partial, name), 'probe', { mode: 0o600 })
    await rename(join(partial, name), join(uploads, name))
  } catch (error) {
    throw fileFault(error) === 'other-device' ? twoDevices(partial, uploads) : error
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
  if (!(error instanceof Error && 'code' in error)) return error
  const fault = fileFault(error)
  const advice = (fault && advices[fault]) ?? 'choose another folder with --data'
  return new Problem(
    'internal',
    `The data folder ${root} cannot be used (${error.code}): ${advice}.`,
    {},
    { cause: error },
  )
}

const advices: { [fault in FileFault]?: string } = {
  forbidden: 'this user may not read and write there; change its owner or choose another folder with --data',
  'read-only': 'the file system is read-only; choose another folder with --data',
  'below-file': 'a part of the path is a file; choose another folder with --data',
  missing: 'no folder can be made there; choose another one with --data',
  exists: 'there is a file of that name; choose another folder with --data',
  full: 'no space is left there',
  'over-quota': 'no space is left there',
}
