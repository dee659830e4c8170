import type { FileStatus, Publication } from '../../protocol/folder-jobs.js'
import type { FileFailure, JobRecord } from '../../protocol/jobs.js'

/** The end of one file of a job. */
export type FileEnd =
  | { name: string; size: number; status: Exclude<FileStatus, 'failed'> }
  | { name: string; status: 'failed'; error: Omit<FileFailure, 'name'> }

type FileSuccess = Exclude<FileEnd, { status: 'failed' }>

/** Counts the files of a job. A file that failed and arrives later has not failed. */
export class FileTally {
  total: number | null
  /** Whether transferred files are kept to be published together: then a name that arrives twice is one file. */
  isStaged = false
  /** Receives each file that is counted by its name. */
  onFile: (file: FileEnd) => void = () => {}
  readonly #counts: Record<FileStatus, number> = { new: 0, replaced: 0, unchanged: 0, removed: 0, failed: 0 }
  readonly #failures = new Map<string, Omit<FileFailure, 'name'>>()
  readonly #staged = new Map<string, FileSuccess>()
  #transferredBytes = 0
  #discardedBytes = 0

  constructor(total: number | null) {
    this.total = total
  }

  /** Returns the bytes of an earlier file of the same name that it takes the place of. */
  count(file: FileEnd): number {
    this.onFile(file)
    if (file.status === 'failed') {
      this.fail(file.name, file.error)
      return 0
    }
    this.recover(file.name)
    this.#add(file, 1)
    if (!this.isStaged) return 0
    const before = this.#staged.get(file.name)
    this.#staged.set(file.name, file)
    if (before) this.#add(before, -1)
    return before?.size ?? 0
  }

  /** Counts a failure that is not listed as the end of a file. */
  fail(name: string, error: Omit<FileFailure, 'name'>): void {
    if (!this.#failures.has(name)) this.#counts.failed++
    if (this.#failures.size < maxNames) this.#failures.set(name, error)
  }

  /** Takes a failure back. A missing one is not an error. */
  recover(name: string): void {
    if (this.#failures.delete(name)) this.#counts.failed--
  }

  /** Files that are not named. */
  countUnchanged(count: number): void {
    this.#counts.unchanged += count
  }

  /** Bytes of incomplete files when the job was stopped or failed. */
  discard(bytes: number): void {
    this.#discardedBytes += bytes
  }

  get discardedBytes(): number {
    return this.#discardedBytes
  }

  get publication(): Publication {
    const { new: created, replaced, unchanged, removed, failed } = this.#counts
    return { files: created + replaced, bytes: this.#transferredBytes, created, replaced, unchanged, removed, failed }
  }

  /** What is published if the files are published together now, and others are removed. */
  publicationWith(removed: number): Publication {
    const { publication } = this
    return { ...publication, removed: publication.removed + removed }
  }

  /** The transferred files that stay if the job ends now. */
  get visible(): Pick<Publication, 'files' | 'bytes'> {
    const { files, bytes } = this.publication
    return this.isStaged ? { files: 0, bytes: 0 } : { files, bytes }
  }

  record(): JobRecord['files'] {
    const { files, unchanged, failed } = this.publication
    const failures = [...this.#failures].slice(0, maxListed).map(([name, error]) => ({ name, ...error }))
    return { total: this.total, done: files + unchanged, unchanged, failed, failures }
  }

  #add({ status, size }: FileSuccess, times: 1 | -1): void {
    this.#counts[status] += times
    if (isTransferred(status)) this.#transferredBytes += times * size
  }
}

function isTransferred(status: FileStatus): boolean {
  return status === 'new' || status === 'replaced'
}

/** Failures beyond this number are counted without their names. */
const maxNames = 10_000
const maxListed = 10
