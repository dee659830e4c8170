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
  /** Why it cannot be read, where that is known before its turn: the error to end it with then. */
  readonly failure?: unknown
}

export interface UploadPlan {
  readonly items: UploadItem[]
  /** Symbolic links and special files inside folders, which are left out. */
  readonly skipped: string[]
}

/**
 * Lists what the given files and folders come to. Names inside a folder begin with the folder's own name, and follow the
 * order of the alphabet. `name` renames a single file or folder, or, with a slash at its end, is a folder for all. What is
 * missing or cannot be read is an item that fails in its turn. Throws a Failure for what is wrong with the whole: stdin
 * without a name, a name for several, and two files that would get one name.
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
  await failingAlone(plan, { path, name }, async () => {
    const found = await stat(path)
    if (found.isDirectory()) await planFolder(plan, path, name)
    else plan.items.push({ path, name })
  })
}

async function planFolder(plan: UploadPlan, folder: string, name: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const item = { path: join(folder, entry.name), name: `${name}/${entry.name.normalize('NFC')}` }
    await failingAlone(plan, item, async () => {
      await refuseUnreadable(item.path)
      if (entry.isDirectory()) await planFolder(plan, item.path, item.name)
      else if (entry.isFile()) plan.items.push(item)
      else plan.skipped.push(item.path)
    })
  }
}

/** One that cannot be read must not keep the others from being sent. */
async function failingAlone(plan: UploadPlan, item: UploadItem, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const isMissing = errorCode(error) === 'ENOENT'
    const failure = isMissing ? new Failure('notFound', `There is no file ${item.path}.`, { cause: error }) : error
    plan.items.push({ ...item, failure })
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
