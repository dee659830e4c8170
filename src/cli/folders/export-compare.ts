import { existsSync } from 'node:fs'
import { Failure } from '../exit-codes.js'
import type { TransferTools } from '../transfers/tools.js'
import type { DigestCache } from './digest-cache.js'
import type { Amount } from './folder-progress.js'
import { digestOfFile } from './local-content.js'
import { inTheWay, isLeftOver, type LocalTarget } from './local-target.js'
import { mergeByName, type Pair } from './merge.js'
import type { NameFilter } from './name-filter.js'
import { type RemoteFile, remoteFiles } from './remote-list.js'
import type { TransferReport } from './transfer-report.js'
import { type LocalFile, type LocalFolder, localFile, walkFolder } from './walk.js'

/** A file to export. */
export interface ExportedItem extends RemoteFile {
  readonly path: string
  readonly status: 'new' | 'replaced'
  isDone: boolean
}

export interface ExportComparison {
  readonly items: ExportedItem[]
  readonly unchanged: Amount
  /** Files that exist only here; collected if `lists` is set. */
  readonly extra: LocalFile[]
  /** Local folders, each before its contents. */
  readonly folders: LocalFolder[]
  /** Temporary files that killed exports have left. */
  readonly leftOver: string[]
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

/** Compares the server with the local folder. Reports the files that are unchanged or cannot be exported. */
export async function compareExports(
  options: ExportCompareOptions,
  context: ExportCompareTools,
): Promise<ExportComparison> {
  const { prefix, folder, filter } = options
  const { tools, signal, report } = context
  const comparison = new Comparison(options, context)
  const local = existsSync(folder)
    ? walkFolder({ path: folder, prefix }, filter, (found) => comparison.folders.push(found))
    : []
  for await (const pairs of mergeByName(local, remoteFiles(tools, prefix, signal))) await comparison.add(pairs)
  for (const path of comparison.missing)
    report.fail(prefix + path, new Failure('notFound', 'There is no such file on the server.'))
  return comparison
}

class Comparison implements ExportComparison {
  readonly items: ExportedItem[] = []
  readonly unchanged = { files: 0, bytes: 0 }
  readonly extra: LocalFile[] = []
  readonly folders: LocalFolder[] = []
  readonly leftOver: string[] = []
  /** Names from `--files-from` that have not been found yet. */
  readonly missing: Set<string>
  readonly #options: ExportCompareOptions
  readonly #context: ExportCompareTools

  constructor(options: ExportCompareOptions, context: ExportCompareTools) {
    this.#options = options
    this.#context = context
    this.missing = new Set(options.filter.listed)
  }

  async add(pairs: readonly Pair[]): Promise<void> {
    for (const pair of pairs) {
      // What cannot be read here fails later, when it is written.
      if (pair.kind !== 'pair') continue
      const known = pair.local && this.#context.cache.find(pair.local)
      if (!pair.remote) {
        if (pair.local && isLeftOver(pair.local.path)) this.leftOver.push(pair.local.path)
        else if (pair.local && this.#options.lists) this.extra.push(pair.local)
        continue
      }
      try {
        // Most comparisons need no promise.
        const comparing = this.#compare(pair.local, pair.remote, known)
        if (comparing) await comparing
      } catch (error) {
        this.#context.signal.throwIfAborted()
        this.#context.report.fail(pair.name, error)
      }
    }
  }

  #compare(local: LocalFile | undefined, remote: RemoteFile, known: string | undefined): Promise<void> | undefined {
    const { prefix, filter, checksum } = this.#options
    const below = remote.name.slice(prefix.length)
    this.missing.delete(below)
    // Validates the name first: the filter throws for paths such as `..`.
    const ownPath = this.#context.target.pathOf(below)
    if (!filter.admits(below)) return undefined
    // On the disk, the name may have another Unicode form.
    const path = local?.path ?? ownPath
    if (!local) this.items.push({ ...remote, path, status: 'new', isDone: false })
    else if (local.size !== remote.size || remote.sha256 === null) this.#differs(path, remote)
    else if (known === undefined || checksum) return this.#compareContent(local, remote)
    else if (known === remote.sha256) this.#isSame(remote)
    else this.#differs(path, remote)
    return undefined
  }

  async #compareContent({ path, name }: LocalFile, remote: RemoteFile): Promise<void> {
    const { tools, cache, signal } = this.#context
    const readAtMs = Date.now()
    // The walk was a while ago.
    const local = localFile(path, name)
    const own = await digestOfFile(local, tools.http.pool, signal)
    cache.add(local, own, readAtMs)
    if (own === remote.sha256) this.#isSame(remote)
    else this.#differs(path, remote)
  }

  #isSame({ name, size, sha256 }: RemoteFile): void {
    this.unchanged.files += 1
    this.unchanged.bytes += size
    this.#context.report.file({ name, status: 'unchanged', size, sha256 })
  }

  #differs(path: string, remote: RemoteFile): void {
    if (!this.#options.replaces) throw inTheWay()
    this.items.push({ ...remote, path, status: 'replaced', isDone: false })
  }
}
