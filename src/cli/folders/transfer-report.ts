import { Problem } from '../../protocol/problems.js'
import { formatBytes } from '../../protocol/units.js'
import type { Context } from '../context.js'
import { visible } from '../escape.js'
import { exitCodeOf, formatFailure } from '../exit-codes.js'
import type { Output } from '../output.js'

/** How a file of a transfer ended. `skipped`: a symbolic link or special file. */
export type FileResult = 'new' | 'replaced' | 'unchanged' | 'removed' | 'failed' | 'skipped'

/** A file that did not fail. */
export interface FinishedFile {
  readonly name: string
  readonly status: Exclude<FileResult, 'failed' | 'skipped'>
  readonly size: number
  readonly sha256?: string | null
}

export interface ReportOptions {
  /** Prints every file. */
  readonly verbose: boolean
  /** The start of the summary line, such as `Uploaded photos`. */
  readonly title: string
  /** The prefix of the names on the server. */
  readonly name: string
}

/** Prints the outcome of each file of a transfer, and at the end a summary line. */
export class TransferReport {
  readonly counts: Record<FileResult, number> = { new: 0, replaced: 0, unchanged: 0, removed: 0, failed: 0, skipped: 0 }
  /** Empty folders that were created or removed; they are not counted as files. */
  readonly folders = { new: 0, removed: 0 }
  /** Bytes of the files that both sides now have. */
  bytes = 0
  /** The exit code of the first failure. */
  exit: number | undefined
  /** Called before a text is printed, to remove a progress bar. */
  beforeText: () => void = () => {}
  #unchangedBytes = 0
  readonly #output: Output
  readonly #env: Context['env']
  readonly #options: ReportOptions

  constructor(output: Output, env: Context['env'], options: ReportOptions) {
    this.#output = output
    this.#env = env
    this.#options = options
  }

  /** Whether something is printed for each file. */
  get isDetailed(): boolean {
    return this.#output.json || this.#options.verbose
  }

  /** The number of files that both sides now have. */
  get files(): number {
    return this.counts.new + this.counts.replaced + this.counts.unchanged
  }

  file(file: FinishedFile): void {
    this.counts[file.status] += 1
    if (file.status !== 'removed') this.bytes += file.size
    if (file.status === 'unchanged') this.#unchangedBytes += file.size
    if (!this.isDetailed) return
    const { name, status, size, sha256 = null } = file
    this.#output.result({ name, status, size, sha256 }, `${status.padEnd(longestStatus)} ${visible(name)}`)
  }

  /** Reports an empty folder that was created or removed. Its name ends with a slash. */
  folder(name: string, status: 'new' | 'removed'): void {
    this.folders[status] += 1
    if (this.isDetailed) this.#output.result({ name, status }, `${status.padEnd(longestStatus)} ${visible(name)}`)
  }

  fail(name: string, error: unknown): void {
    this.counts.failed += 1
    this.exit ??= exitCodeOf(error)
    this.beforeText()
    const message = formatFailure(error, this.#env)
    if (this.#output.json) this.#output.result({ name, status: 'failed', error: { code: codeOf(error), message } }, '')
    if (this.isDetailed || this.counts.failed <= maxNamed) this.#output.error(`${visible(name)}: ${message}`)
    else if (this.counts.failed === maxNamed + 1) this.#output.note('More files failed; -v names all of them.')
  }

  skip(name: string, path: string): void {
    this.counts.skipped += 1
    this.beforeText()
    const words = `Skipped ${visible(path)}: a symbolic link or special file.`
    if (this.#output.json) this.#output.result({ name, status: 'skipped', message: words }, '')
    if (this.isDetailed || this.counts.skipped <= maxNamed) this.#output.note(words)
    else if (this.counts.skipped === maxNamed + 1) this.#output.note('More was skipped; -v names all of it.')
  }

  /** Forgets what was transferred, because it is transferred again. */
  restart(): void {
    this.bytes = this.#unchangedBytes
    this.counts.new = 0
    this.counts.replaced = 0
  }

  /** Counts files that the server has removed as part of the job. */
  removed(count: number): void {
    this.counts.removed += count
  }

  /** Prints the summary line. `job` is null if no file was transferred. */
  end(job: string | null): void {
    const { files, bytes, counts, folders } = this
    const parts = [
      ...shown.filter((status) => counts[status] > 0).map((status) => `${formatCount(counts[status])} ${status}`),
      ...(folders.new > 0 ? [`${formatFolders(folders.new)} created`] : []),
      ...(folders.removed > 0 ? [`${formatFolders(folders.removed)} removed`] : []),
    ]
    const total = `${formatCount(files)} ${files === 1 ? 'file' : 'files'}, ${formatBytes(bytes)}`
    const words = parts.length === 0 ? 'nothing to do' : parts.join(', ')
    const ofFolders = { foldersCreated: folders.new, foldersRemoved: folders.removed }
    const summary = { name: this.#options.name, files, bytes, ...counts, ...ofFolders, job }
    this.#output.result({ summary }, `${visible(this.#options.title)} (${total}): ${words}`)
  }
}

/** `2,000`. */
export function formatCount(number: number): string {
  return number.toLocaleString('en')
}

function formatFolders(count: number): string {
  return `${formatCount(count)} empty ${count === 1 ? 'folder' : 'folders'}`
}

function codeOf(error: unknown): string {
  if (error instanceof Problem) return error.code
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'failed'
}

const shown = ['new', 'replaced', 'unchanged', 'removed', 'failed', 'skipped'] as const
const longestStatus = 'unchanged'.length
/** Failures and skipped files that are named without `-v`. */
const maxNamed = 10
