import { faultOfName } from '../../protocol/file-name.js'
import type { TransferTools } from '../transfers/tools.js'
import type { NameFilter } from './name-filter.js'
import { emptyRemoteFolders } from './remote-list.js'
import type { LocalFolder } from './walk.js'

/** The names of empty folders that only one side has. */
export interface FolderComparison {
  /** Empty here, missing on the server. */
  readonly missing: string[]
  /** Empty on the server, missing here; collected if `lists` is set. */
  readonly extra: string[]
  /** Empty here, with a name that the server does not accept. */
  readonly faulty: { readonly name: string; readonly fault: string }[]
}

export interface ComparedFolders {
  /** The prefix on the server. */
  readonly prefix: string
  /** All local folders. */
  readonly folders: readonly LocalFolder[]
  readonly filter: NameFilter
  readonly lists: boolean
}

/** Compares the empty folders of both sides. Sends no request if the result cannot depend on the server. */
export async function compareFolders(
  tools: TransferTools,
  { prefix, folders, filter, lists }: ComparedFolders,
  signal: AbortSignal,
): Promise<FolderComparison> {
  const empty = folders.filter(({ name, isEmpty }) => isEmpty && takesPart(name, prefix, filter))
  if (empty.length === 0 && !lists) return { missing: [], extra: [], faulty: [] }
  const there = new Set(await emptyRemoteFolders(tools, prefix, signal))
  const here = new Set(folders.map(({ name }) => name))
  const names = empty.map(({ name }) => name).filter((name) => !there.has(name))
  const faulty = names.flatMap((name) => {
    const fault = faultOfName(name.slice(0, -1))
    return fault === undefined ? [] : [{ name, fault }]
  })
  return {
    missing: names.filter((name) => faultOfName(name.slice(0, -1)) === undefined),
    extra: lists ? [...there].filter((name) => !here.has(name) && takesPart(name, prefix, filter)) : [],
    faulty,
  }
}

/** Whether an empty folder is transferred: the top folder unless `--files-from` is given, others if the filter admits them. */
export function takesPart(name: string, prefix: string, filter: NameFilter): boolean {
  if (name === prefix) return name !== '' && filter.listed === undefined
  return filter.admitsEmpty(name.slice(prefix.length))
}
