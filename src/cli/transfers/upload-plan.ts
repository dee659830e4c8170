import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { errorCode, Failure } from '../exit-codes.js'
import { remoteName } from '../remote-name.js'

/** One thing to upload. */
export interface UploadItem {
  /** The local path, or `-` for stdin. */
  readonly path: string
  /** What it will be called on the server. */
  readonly name: string
}

export interface UploadPlan {
  readonly items: UploadItem[]
  /** Symbolic links and special files inside folders, which are left out. */
  readonly skipped: string[]
}

/**
 * Lists what the given files and folders come to. Names inside a folder begin with the folder's own name, and follow the
 * order of the alphabet. `name` renames a single file or folder, or, with a slash at its end, is a folder for all.
 * Throws a Failure for a missing file, for stdin without a name, and for two files that would get one name.
 */
export async function planUpload(sources: readonly string[], name: string | undefined): Promise<UploadPlan> {
  const plan: UploadPlan = { items: [], skipped: [] }
  const folder = name?.endsWith('/') ? name : undefined
  if (name !== undefined && folder === undefined && sources.length > 1) {
    throw new Failure('wrongUse', `--name ${name} can name one file only; write ${name}/ to put all into a folder.`)
  }
  for (const source of sources) {
    const own = folder !== undefined ? folder + ownName(source, folder) : (name ?? ownName(source, undefined))
    if (source === '-') plan.items.push({ path: '-', name: remoteName(own) })
    else await planPath(plan, source, remoteName(own))
  }
  refuseDoubles(plan.items)
  return plan
}

/** The last part of a path; `.` and `..` are folders with names of their own. */
function ownName(source: string, folder: string | undefined): string {
  if (source !== '-') return basename(resolve(source))
  const hint = folder === undefined ? '' : `; ${folder} is only a folder`
  throw new Failure('wrongUse', `stdin has no name: give it one with --name NAME${hint}.`)
}

async function planPath(plan: UploadPlan, path: string, name: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') throw new Failure('notFound', `There is no file ${path}.`, { cause: error })
    throw error
  })
  if (found.isDirectory()) await planFolder(plan, path, name)
  else plan.items.push({ path, name })
}

async function planFolder(plan: UploadPlan, folder: string, name: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    const inner = `${name}/${entry.name.normalize('NFC')}`
    await refuseUnreadable(path)
    if (entry.isDirectory()) await planFolder(plan, path, inner)
    else if (entry.isFile()) plan.items.push({ path, name: inner })
    else plan.skipped.push(path)
  }
}

/** A name that is no UTF-8 comes with replacement characters in it, and then leads nowhere. */
async function refuseUnreadable(path: string): Promise<void> {
  if (!path.includes('\ufffd') || (await exists(path))) return
  throw new Failure('wrongUse', `${path}: the name is not valid UTF-8. Rename it, or upload it by itself with --name.`)
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

function refuseDoubles(items: readonly UploadItem[]): void {
  const paths = new Map<string, string>()
  for (const { path, name } of items) {
    const other = paths.get(name)
    if (other !== undefined) {
      throw new Failure(
        'wrongUse',
        `${other} and ${path} would both be called ${name}: upload them one by one with --name.`,
      )
    }
    paths.set(name, path)
  }
}
