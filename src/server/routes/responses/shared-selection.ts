import type { Context } from 'hono'
import type { FolderLevelList } from '../../../protocol/folders.js'
import { Problem } from '../../../protocol/problems.js'
import { countOf } from '../../../protocol/units.js'
import { type Selection, selectFolder, selectNames } from '../../archives/selection.js'
import { fileRecord } from '../../openapi/answers.js'
import type { AppEnv } from '../../routing/app-env.js'
import type { PublishedFiles, Space } from '../../stores/files.js'
import type { Folders, StoredFolder } from '../../stores/folders.js'
import type { SharedFolder, SharedSelection } from '../../transfers/shared-link.js'
import { answerSharedLevel } from './shared-folder.js'

export interface SelectionStores {
  files: Pick<PublishedFiles, 'findMany'>
  folders: Pick<Folders, 'list'>
}

/** Lists the files and folders of a selection that still exist, as a shared folder is listed. */
export async function answerSharedSelection(
  c: Context<AppEnv>,
  stores: SelectionStores,
  shared: SharedSelection,
): Promise<Response> {
  const level = await listSelection(stores, shared)
  return answerSharedLevel(c, level, { shared, folder: shared.root, title: titleOf(level) })
}

/** What the archive of a folder or of a selection holds, and the name of its job. Throws `file-not-found` for a selection without any. */
export async function selectShared(
  stores: SelectionStores,
  shared: SharedFolder | SharedSelection,
): Promise<{ name: string; selection: Selection }> {
  const { account } = shared.identity
  if ('folder' in shared) return { name: shared.folder, selection: selectFolder(account, shared.folder) }
  const { files, folders } = await listSelection(stores, shared)
  const names = [...folders, ...files].map(({ name }) => name)
  if (names.length === 0) throw new Problem('file-not-found', 'None of the files of this link exists any more.')
  return { name: shared.root, selection: { ...selectNames(account, names), base: shared.root } }
}

async function listSelection(
  { files, folders }: SelectionStores,
  { names, identity: { account } }: SharedSelection,
): Promise<FolderLevelList> {
  const wanted = names.filter((name) => !name.endsWith('/'))
  const found = (await files.findMany(account, wanted)).filter((file) => file !== undefined)
  const below: StoredFolder[] = []
  for (const name of names.filter((name) => name.endsWith('/'))) {
    const folder = await findFolder(folders, account, name)
    if (folder) below.push(folder)
  }
  const sizes = [...found.map(({ size }) => size), ...below.map(({ bytes }) => bytes)]
  const bytes = sizes.some((size) => size === null) ? null : sizes.reduce<number>((sum, size) => sum + size!, 0)
  const totals = { files: found.length, folders: below.length, bytes }
  return { files: found.map(fileRecord), folders: below, totals, next: null }
}

/** Its entry in the level that holds it. */
async function findFolder(
  folders: Pick<Folders, 'list'>,
  space: Space,
  name: string,
): Promise<StoredFolder | undefined> {
  const order = { sort: 'name', order: 'asc', natural: false, ignoreCase: false } as const
  for (let cursor: string | undefined; ; ) {
    const level = await folders.list(space, { prefix: name.slice(0, -1), search: '', cursor, limit: 1000, ...order })
    const folder = level.folders.find((each) => each.name === name)
    // Folders come before files.
    if (folder || level.next === null || level.files.length > 0) return folder
    cursor = level.next
  }
}

function titleOf({ totals }: FolderLevelList): string {
  const { files, folders } = totals
  const counts = [folders > 0 && countOf(folders, 'folder'), files > 0 && countOf(files, 'file')]
  return counts.filter(Boolean).join(' and ') || 'Nothing'
}
