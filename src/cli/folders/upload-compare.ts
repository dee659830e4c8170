import { faultOfName } from '../../protocol/file-name.js'
import { Problem } from '../../protocol/problems.js'
import { Failure } from '../exit-codes.js'
import type { TransferTools } from '../transfers/tools.js'
import type { DigestCache } from './digest-cache.js'
import type { Amount } from './folder-progress.js'
import { digestOfFile } from './local-content.js'
import { mergeByName, type Pair } from './merge.js'
import type { NameFilter } from './name-filter.js'
import { type RemoteFile, remoteFiles, remoteFilesNamed } from './remote-list.js'
import type { TransferReport } from './transfer-report.js'
import type { UploadSources } from './upload-sources.js'
import { type Found, type LocalFile, type LocalFolder, localFile, type WalkedFolder, walkFolder } from './walk.js'

/** A file to upload. */
export interface PendingUpload {
  readonly name: string
  readonly path: string
  readonly size: number
  readonly status: 'new' | 'replaced'
  /** Whether the server has confirmed it. */
  isDone: boolean
}

export interface UploadComparison {
  readonly items: PendingUpload[]
  /** Remote files that are missing here and that the filter admits; collected if `lists` is set. */
  readonly extra: RemoteFile[]
  /** Remote files that stay as they are: unchanged, or not admitted by the filter; collected if `lists` is set. */
  readonly kept: RemoteFile[]
  readonly unchanged: Amount
  /** Local folders, sorted by name. */
  readonly folders: LocalFolder[]
  /** Whether everything here could be read. If not, a file that is missing here may exist. */
  readonly isComplete: boolean
}

export interface CompareOptions {
  readonly filter: NameFilter
  /** Reads every file that has the same size on the server, instead of using the cache. */
  readonly checksum: boolean
  readonly keepExisting: boolean
  /** Collects `extra` and `kept`. */
  readonly lists: boolean
}

export interface CompareTools {
  readonly tools: TransferTools
  readonly report: TransferReport
  cacheOf(folder: WalkedFolder): DigestCache
  readonly signal: AbortSignal
}

/** Compares the local files with the server. Reports the files that are unchanged or cannot be uploaded. */
export async function compareUploads(
  sources: UploadSources,
  options: CompareOptions,
  context: CompareTools,
): Promise<UploadComparison> {
  const { tools, report, signal } = context
  const comparison = new Comparison(options, context)
  for (const { name, error } of sources.failures) comparison.fail(name, error)
  const files = sources.files.map(({ path, name }) => foundBy(path, name))
  const named = remoteFilesNamed(
    tools,
    sources.files.map(({ name }) => name),
    signal,
  )
  for await (const pairs of mergeByName([files], named)) await comparison.add(pairs, undefined, '')
  for (const folder of sources.folders) {
    const cache = context.cacheOf(folder)
    const remote = remoteFiles(tools, folder.prefix, signal)
    const local = walkFolder(folder, options.filter, (found) => comparison.folders.push(found))
    for await (const pairs of mergeByName(local, remote)) await comparison.add(pairs, cache, folder.prefix)
  }
  const [folder] = sources.folders
  for (const path of options.filter.listed ?? []) {
    const name = `${folder?.prefix ?? sources.prefix}${path}`
    if (!comparison.seen.has(name)) report.fail(name, new Failure('notFound', `There is no file ${path}.`))
  }
  return comparison
}

class Comparison implements UploadComparison {
  readonly items: PendingUpload[] = []
  readonly extra: RemoteFile[] = []
  readonly kept: RemoteFile[] = []
  readonly unchanged = { files: 0, bytes: 0 }
  readonly folders: LocalFolder[] = []
  /** The names that exist here; collected only with `--files-from`. */
  readonly seen = new Set<string>()
  isComplete = true
  readonly #options: CompareOptions
  readonly #context: CompareTools

  constructor(options: CompareOptions, context: CompareTools) {
    this.#options = options
    this.#context = context
  }

  fail(name: string, error: unknown): void {
    this.isComplete = false
    this.#context.report.fail(name, error)
  }

  async add(pairs: readonly Pair[], cache: DigestCache | undefined, prefix: string): Promise<void> {
    for (const pair of pairs) {
      // Most comparisons need no promise.
      const comparing = this.#addOne(pair, cache, prefix)
      if (comparing) await comparing
    }
  }

  #addOne(pair: Pair, cache: DigestCache | undefined, prefix: string): Promise<void> | undefined {
    if (this.#options.filter.listed) this.seen.add(pair.name)
    if (pair.kind === 'failed') this.fail(pair.name, pair.error)
    else if (pair.kind === 'skipped') this.#context.report.skip(pair.name, pair.path)
    else if (pair.local) return this.#compare(pair.local, pair.remote, cache)
    else if (pair.remote && this.#options.lists) {
      const isAdmitted = this.#options.filter.admits(pair.name.slice(prefix.length))
      const list = isAdmitted ? this.extra : this.kept
      list.push(pair.remote)
    }
    return undefined
  }

  #compare(
    local: LocalFile,
    remote: RemoteFile | undefined,
    cache: DigestCache | undefined,
  ): Promise<void> | undefined {
    const known = cache?.find(local)
    if (!remote || remote.size !== local.size || remote.sha256 === null) this.#differs(local, remote)
    else if (known === undefined || this.#options.checksum) return this.#compareContent(local, remote, cache)
    else if (known === remote.sha256) this.#isSame(local, remote)
    else this.#differs(local, remote)
    return undefined
  }

  async #compareContent({ path, name }: LocalFile, remote: RemoteFile, cache: DigestCache | undefined): Promise<void> {
    const { tools, signal, report } = this.#context
    try {
      const readAtMs = Date.now()
      // The walk was a while ago.
      const local = localFile(path, name)
      const own = await digestOfFile(local, tools.http.pool, signal)
      cache?.add(local, own, readAtMs)
      if (own === remote.sha256) this.#isSame(local, remote)
      else this.#differs(local, remote)
    } catch (error) {
      signal.throwIfAborted()
      report.fail(name, error)
    }
  }

  #isSame({ name, size }: LocalFile, remote: RemoteFile): void {
    if (this.#options.lists) this.kept.push(remote)
    this.unchanged.files += 1
    this.unchanged.bytes += size
    this.#context.report.file({ name, status: 'unchanged', size, sha256: remote.sha256 })
  }

  #differs({ name, path, size }: LocalFile, remote: RemoteFile | undefined): void {
    const fault = faultOfName(name)
    if (fault !== undefined) this.fail(name, new Failure('wrongUse', `The name ${fault}.`))
    else if (remote && this.#options.keepExisting) {
      this.#context.report.fail(
        name,
        new Problem('precondition-failed', 'It exists on the server with different content.'),
      )
    } else this.items.push({ name, path, size, status: remote ? 'replaced' : 'new', isDone: false })
  }
}

function foundBy(path: string, name: string): Found {
  try {
    return { kind: 'file', file: localFile(path, name) }
  } catch (error) {
    return { kind: 'failed', name, path, error }
  }
}
