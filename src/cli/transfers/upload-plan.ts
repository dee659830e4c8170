import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { isMissing } from '../../protocol/file-errors.js'
import { Failure } from '../exit-codes.js'
import { remoteName } from '../remote-name.js'

/** One file or stream to upload. */
export interface PlannedUpload {
  /** The local path, or `-` for stdin. */
  readonly path: string
  /** Instead of stdin: the command, with its arguments, whose stdout is uploaded. */
  readonly command?: readonly string[]
  /** Its name on the server. */
  readonly name: string
  /** The error with which it fails, if it is known in advance that it cannot be read. */
  readonly failure?: unknown
}

export interface UploadPlan {
  readonly items: PlannedUpload[]
  /** Symbolic links and special files inside folders, which are skipped. */
  readonly skipped: string[]
}

/**
 * Resolves files and folders to uploads. Names inside a folder start with the folder's own name, in alphabetical order.
 * `name` renames a single file or folder or, with a trailing slash, is the folder for all. A missing or unreadable file
 * is an item that fails when it is processed. Throws a Failure for errors of the whole command: stdin without a name,
 * one name for several files, and two files with the same name.
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

/** The upload of a command's stdout. Throws a Failure without a name. */
export function planCommand(command: readonly string[], name: string | undefined): UploadPlan {
  if (name === undefined || name.endsWith('/')) {
    throw new Failure('wrongUse', 'The output of a command has no name: give it one with --name NAME.')
  }
  if (command[0] === '')
    throw new Failure('wrongUse', 'The command is empty: put the program and its arguments behind --.')
  return { items: [{ path: '-', command, name: remoteName(name) }], skipped: [] }
}

/** The last segment of a path; `.` and `..` resolve to the folder's name. */
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

/** An unreadable file must not prevent the others from being uploaded. */
async function failingAlone(plan: UploadPlan, item: PlannedUpload, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const failure = isMissing(error)
      ? new Failure('notFound', `There is no file ${item.path}.`, { cause: error })
      : error
    plan.items.push({ ...item, failure })
  }
}

/** A name that is not UTF-8 contains replacement characters and cannot be opened. */
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

function refuseDoubles(items: readonly PlannedUpload[]): void {
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
