import { lstat, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { usernamePattern } from '../../protocol/accounts.js'
import { roles } from '../../protocol/roles.js'
import type { Space } from '../stores/files.js'
import type { HistoryEntry } from '../stores/history.js'
import { checkHoldsData } from '../stores/local/data-folder.js'
import { lockDataFolder } from '../stores/local/data-lock.js'
import { FileMetadata } from '../stores/local/file-metadata.js'
import { type FolderState, readFolderState } from '../stores/local/folder-state.js'
import { readKeptFolders } from '../stores/local/kept-folders.js'
import { openListing } from '../stores/local/listing.js'
import { missingAsEmpty, missingAsUndefined } from '../stores/local/missing.js'
import { listPartials, partialPath } from '../stores/local/partial-folder.js'
import { openTableStore } from '../stores/local/tables.js'
import { listUnserved, type Unserved } from '../stores/local/unserved.js'
import type { TableStore } from '../stores/tables.js'
import { offsetOfKept } from '../transfers/kept-uploads.js'
import { type ResumeState, resumeStateSchema } from '../transfers/resume-state.js'

/** A file of the folder, as its server would describe it. */
export interface SourceFile {
  name: string
  path: string
  size: number
  /** What was recorded when it was stored; null if it was added by hand. */
  sha256: string | null
  type: string
  /** With milliseconds. */
  publishedAt: Date
  isDateStrong: boolean
  /** Its bytes are known not to be those that were stored. */
  isDamaged: boolean
}

/** A data folder that is only read, but for its lock. */
export interface SourceFolder {
  readonly root: string
  readonly state: FolderState
  /** Those that have an account, and others. */
  readonly spaces: Space[]
  /** What no request can reach, and so is not moved. */
  readonly unserved: Unserved[]
  readonly tables: Pick<TableStore, 'list' | 'folder'>
  /** Those that a client can continue. */
  readonly unfinishedUploads: UnfinishedUpload[]
  /** Files and bytes of an account. */
  count(space: Space): Promise<{ files: number; bytes: number }>
  /** The files of an account in the order of their names, some at a time. */
  pages(space: Space): AsyncGenerator<SourcePage>
  /** The folders that are empty, or kept when they become empty. */
  folders(space: Space): Promise<string[]>
  close(): Promise<void>
}

export interface UnfinishedUpload {
  path: string
  /** The bytes of the file that count. */
  offset: number
  resumeState: ResumeState
  /** Its last entry of the history. */
  entry: HistoryEntry
}

export interface SourcePage {
  files: SourceFile[]
  /** The name that the next page begins after; null for the last one. */
  last: string | null
}

/** Locks and reads a data folder. Throws `busy` while a server uses it, and `invalid-request` for one that is none. */
export async function openSourceFolder(dataFolder: string): Promise<SourceFolder> {
  const root = resolve(dataFolder)
  await checkHoldsData(root)
  const lock = await lockDataFolder(root)
  const folders = { uploads: join(root, 'uploads'), meta: join(root, 'meta') }
  try {
    const state = await readFolderState(root)
    const contents = {
      spaces: await findSpaces(folders.uploads, state.accounts),
      unserved: await listUnserved(folders.uploads),
      tables: await openTables(root),
      unfinishedUploads: await findUnfinished(join(root, 'partial'), state),
    }
    const listing = openListing(folders)
    const metadata = new FileMetadata(folders.meta)
    return {
      root,
      state,
      ...contents,
      count: (space) => listing.count(space, ''),

      async *pages(space) {
        for (let after = ''; ; ) {
          const listed = await listing.list(space, { prefix: '', search: '', after, limit: namesPerPage })
          const last = listed.length < namesPerPage ? null : listed.at(-1)!.name
          const described = await Promise.all(
            listed.map(({ name }) => {
              return describe(metadata, space, name, join(folders.uploads, space.role, space.username, name))
            }),
          )
          yield { files: described.filter((file) => file !== undefined), last }
          if (last === null) return
          after = last
        }
      },

      async folders(space) {
        const found = new Set(await readKeptFolders(folders, space))
        for (let after = ''; ; ) {
          const empty = await listing.emptyFolders(space, { prefix: '', after, limit: namesPerPage })
          for (const folder of empty) found.add(folder)
          if (empty.length < namesPerPage) return [...found]
          after = empty.at(-1)!
        }
      },

      async close() {
        await listing.close()
        await lock.release()
      },
    }
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function describe(
  metadata: FileMetadata,
  space: Space,
  name: string,
  path: string,
): Promise<SourceFile | undefined> {
  const stats = await lstat(path, { bigint: true }).catch(missingAsUndefined)
  if (!stats) return undefined
  const { file, version, unverified } = await metadata.describe(space, name, stats)
  const { size, type, lastModified, isDateStrong } = file
  return {
    ...{ name, path, size, type, isDateStrong },
    sha256: (version ?? unverified)?.sha256 ?? null,
    publishedAt: new Date(lastModified),
    isDamaged: file.damaged === true,
  }
}

async function findSpaces(uploads: string, accounts: readonly Space[]): Promise<Space[]> {
  const spaces = new Map<string, Space>()
  for (const { role, username } of accounts) spaces.set(`${role}:${username}`, { role, username })
  for (const role of roles) {
    for (const username of await readdir(join(uploads, role)).catch(missingAsEmpty)) {
      if (usernamePattern.test(username)) spaces.set(`${role}:${username}`, { role, username })
    }
  }
  return [...spaces.values()]
}

async function findUnfinished(folder: string, { unfinished, accounts }: FolderState): Promise<UnfinishedUpload[]> {
  const entries = new Map(unfinished.map((entry) => [entry.job.id, entry]))
  const enabled = new Set(accounts.filter(({ disabled }) => !disabled).map(({ id }) => id))
  const found: UnfinishedUpload[] = []
  for (const { id, size, state } of await listPartials(folder)) {
    const resumeState = resumeStateSchema.safeParse(state).data
    const entry = entries.get(id)
    if (size === null || !resumeState || resumeState.partOf !== null || !entry) continue
    if (!enabled.has(resumeState.accountId)) continue
    found.push({ path: partialPath(folder, id), offset: offsetOfKept(resumeState, size), resumeState, entry })
  }
  return found
}

/** The store creates its folder, which must not happen here. */
async function openTables(root: string): Promise<Pick<TableStore, 'list' | 'folder'>> {
  const [tables, partial] = [join(root, 'tables'), join(root, 'partial')]
  if (!(await lstat(tables).catch(missingAsUndefined))) return { folder: tables, list: async () => [] }
  const next = () => Promise.reject(new Error('The folder is only read.'))
  return openTableStore({ tables, partial }, { next })
}

const namesPerPage = 500
