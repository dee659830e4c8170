import type { Publication } from '../../protocol/folder-jobs.js'
import type { Space } from './files.js'
import type { PartialFile, PublishedPartial, PublishTarget } from './partials.js'
import type { NewFile, NewFileResult } from './small-files.js'

/** Files that are published together. An id is a job's. */
export interface Stages {
  /** Opens an empty stage. Throws if the id is taken, and `disk-full`. */
  open(plan: StagePlan): Promise<StoredStage>
  /** Those left by earlier servers. */
  listAbandoned(): Promise<AbandonedStage[]>
  /** Finishes a publish that a crash has interrupted after its point of no return. */
  finish(id: string): Promise<void>
  /** Removes a stage that was not published. Removing a missing one is not an error. */
  remove(id: string): Promise<void>
}

export interface StagePlan {
  jobId: string
  space: Space
  /** Empty, or ends with a slash. */
  prefix: string
  /** Whether files below the prefix that are not part of it are removed. */
  replace: boolean
}

export interface StoredStage {
  /** Bytes of all files in it. */
  readonly bytes: number
  /**
   * Keeps a partial, whose bytes were synced, as the file that it will be; `created` is false if the publish will
   * replace a file. Throws `name-conflict` and `precondition-failed`; the partial still exists then.
   */
  add(partial: PartialFile, target: PublishTarget): Promise<PublishedPartial>
  /** Like `SmallFiles.publish`, for files that are published with the others; never `unchanged`. */
  addSmall(files: readonly NewFile[]): Promise<NewFileResult[]>
  /** Keeps a folder, which may stay empty. `folder` ends with a slash. */
  addFolder(folder: string): Promise<void>
  /** With `replace`, these files are not removed; the publish fails if they are missing then. */
  keep(names: readonly string[]): void
  /**
   * Checks names and preconditions again and publishes all files, durably, or none: no reader sees some of them. `commit`
   * is called at the point of no return, with the number of files that are removed, and throws if it must not happen; after
   * it, a crash does not prevent the rest. What it returns is kept until `forget`, for a job whose server dies before the
   * end of the job is recorded. Returns the removed files. Throws `name-conflict` and `precondition-failed`.
   */
  publish(commit: (removed: number) => Publication): Promise<{ removed: { name: string; size: number }[] }>
  /** Called when the end of its job is recorded. Does nothing if it was not published. */
  forget(): Promise<void>
  /** Removes everything. Resolves when it is out of reach: its bytes are removed in the background. */
  discard(): Promise<void>
}

export interface AbandonedStage {
  readonly id: string
  /** What its job has published if its publish was past the point of no return, null otherwise. */
  readonly published: Publication | null
  readonly files: number
  readonly bytes: number
}
