import { existsSync } from 'node:fs'
import { Failure } from '../exit-codes.js'
import type { TransferTools } from '../transfers/tools.js'
import type { DigestCache } from './digest-cache.js'
import type { Amount } from './folder-progress.js'
import { digestOfFile } from './local-content.js'
import { inTheWay, type LocalTarget } from './local-target.js'
import { mergeByName } from './merge.js'
import type { NameFilter } from './name-filter.js'
import { type RemoteFile, remoteFiles } from './remote-list.js'
import type { TransferReport } from './transfer-report.js'
import { type LocalFile, walkFolder } from './walk.js'

/** A file to export. */
export interface ExportedItem extends RemoteFile {
  readonly path: string
  readonly status: 'new' | 'replaced'
  isDone: boolean
}

export interface ExportComparison {
  readonly items: ExportedItem[]
  readonly unchanged: Amount
  /** Files that are here and not on the server; if `lists` is set. */
  readonly extra: LocalFile[]
}

export interface ExportCompareOptions {
  /** The prefix on the server. */
  readonly prefix: string
  /** The folder here. */
  readonly folder: string
  readonly filter: NameFilter
  readonly checksum: boolean
  /** Whether files that differ are replaced. */
  readonly replaces: boolean
  readonly lists: boolean
}

export interface ExportCompareTools {
  readonly tools: TransferTools
  readonly report: TransferReport
  readonly cache: DigestCache
  readonly target: LocalTarget
  readonly signal: AbortSignal
}

/** Compares what is on the server with what is here, and reports all files that need not or cannot be exported. */
export async function compareExports(
  options: ExportCompareOptions,
  { tools, report, cache, target, signal }: ExportCompareTools,
): Promise<ExportComparison> {
  const { prefix, folder, filter, checksum, replaces, lists } = options
  const comparison = { items: [] as ExportedItem[], unchanged: { files: 0, bytes: 0 }, extra: [] as LocalFile[] }
  const missing = new Set(filter.listed)
  const isSame = async (local: LocalFile, remote: RemoteFile, known: string | undefined) => {
    if (local.size !== remote.size || remote.sha256 === null) return false
    if (known !== undefined && !checksum) return known === remote.sha256
    const readAtMs = Date.now()
    const own = await digestOfFile(local, tools.http.pool, signal)
    cache.add(local, own, readAtMs)
    return own === remote.sha256
  }
  const local = existsSync(folder) ? walkFolder({ path: folder, prefix }, filter) : []
  for await (const pair of mergeByName(local, remoteFiles(tools, prefix, signal))) {
    // What cannot be read here fails when it is written.
    if (pair.kind !== 'pair') continue
    const known = pair.local && cache.find(pair.local)
    const below = pair.name.slice(prefix.length)
    if (!pair.remote) {
      if (pair.local && lists) comparison.extra.push(pair.local)
      continue
    }
    const { name, size, sha256 } = pair.remote
    missing.delete(below)
    try {
      // A filter does not take names such as `..`.
      const ownPath = target.pathOf(below)
      if (!filter.admits(below)) continue
      // The name on the disk may have another Unicode form.
      const path = pair.local?.path ?? ownPath
      if (pair.local && (await isSame(pair.local, pair.remote, known))) {
        comparison.unchanged.files += 1
        comparison.unchanged.bytes += size
        report.file({ name, status: 'unchanged', size, sha256 })
      } else if (pair.local && !replaces) throw inTheWay()
      else comparison.items.push({ ...pair.remote, path, status: pair.local ? 'replaced' : 'new', isDone: false })
    } catch (error) {
      signal.throwIfAborted()
      report.fail(name, error)
    }
  }
  for (const path of missing)
    report.fail(prefix + path, new Failure('notFound', 'There is no such file on the server.'))
  return comparison
}
