import type { Dirent } from 'node:fs'
import { access, constants, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { usernamePattern } from '../../../protocol/accounts.js'
import { isMissing } from '../../../protocol/file-errors.js'
import { faultOfName } from '../../../protocol/file-name.js'
import { roles } from '../../../protocol/roles.js'

/** Entries of `uploads/` that are neither listed nor served. */
export interface Unserved {
  path: string
  why: string
}

export interface UnservedSearch {
  onFound(unserved: Unserved): void
  signal?: AbortSignal
}

/** Calls `onFound` with each file that no request can reach. The content of a folder that cannot be named is omitted. Throws the signal's reason. */
export async function findUnserved(uploads: string, search: UnservedSearch): Promise<void> {
  const { onFound } = search
  for (const role of await readFolder(uploads, search)) {
    if (!role.isDirectory() || !roles.some((known) => known === role.name)) {
      onFound({ path: join(uploads, role.name), why: 'it is not the folder of a role' })
      continue
    }
    const folder = join(uploads, role.name)
    for (const account of await readFolder(folder, search)) {
      const path = join(folder, account.name)
      if (account.isDirectory() && usernamePattern.test(account.name)) await lookInto(path, '', search)
      else onFound({ path, why: 'it is not the folder of an account' })
    }
  }
}

/** All of them. */
export async function listUnserved(uploads: string): Promise<Unserved[]> {
  const found: Unserved[] = []
  await findUnserved(uploads, { onFound: (unserved) => found.push(unserved) })
  return found
}

async function lookInto(top: string, folder: string, search: UnservedSearch): Promise<void> {
  for (const entry of await readFolder(join(top, folder), search)) {
    const name = folder + entry.name
    const path = join(top, name)
    const why = faultOfEntry(entry, name) ?? (await faultOfRights(path, entry))
    if (why) search.onFound({ path, why })
    else if (entry.isDirectory()) await lookInto(top, `${name}/`, search)
  }
}

function faultOfEntry(entry: Dirent, name: string): string | undefined {
  if (entry.isSymbolicLink()) return 'it is a symbolic link'
  if (!entry.isFile() && !entry.isDirectory()) return 'it is neither a file nor a folder'
  const fault = faultOfName(name)
  return fault && `its name ${fault}: rename it`
}

async function faultOfRights(path: string, entry: Dirent): Promise<string | undefined> {
  const rights = entry.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK
  return access(path, rights).then(
    () => undefined,
    (error) => (isMissing(error) ? undefined : `this user may not read it (${error.code})`),
  )
}

/** Reports entries whose names are not UTF-8: their decoded names do not open them. */
async function readFolder(folder: string, { onFound, signal }: UnservedSearch): Promise<Dirent[]> {
  signal?.throwIfAborted()
  try {
    const names = await readdir(folder, { encoding: 'buffer' })
    const garbled = new Set(names.filter((name) => !Buffer.from(name.toString()).equals(name)).map(String))
    for (const name of garbled) onFound({ path: join(folder, name), why: 'its name is not valid UTF-8: rename it' })
    return (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !garbled.has(name))
  } catch (error) {
    // Removed meanwhile, where a server runs.
    if (isMissing(error)) return []
    onFound({ path: folder, why: `it cannot be read (${(error as NodeJS.ErrnoException).code})` })
    return []
  }
}
