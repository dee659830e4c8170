import { computed, type Signal, signal } from '@preact/signals'
import { me } from '../account.js'
import { findLive } from '../live/job-store.js'
import { type Contents, contentsOf, describe } from './chosen-files.js'
import { type ChosenFile, isEmptyFolder } from './dropped-files.js'

export type UploadState = 'queued' | 'starting' | 'sending' | 'lost' | 'exists' | 'done' | 'stopped' | 'failed'

/** A file to upload, or several files and empty folders that are uploaded as one job. */
export interface UploadItem {
  readonly key: number
  /** The account that owns the upload. */
  readonly account: string | undefined
  /** The name of the file; for several, their folder or their number. */
  readonly title: string
  readonly files: readonly ChosenFile[]
  /** The files that have neither arrived nor failed. */
  readonly left: Set<ChosenFile>
  readonly status: Signal<UploadStatus>
}

export interface UploadStatus {
  state: UploadState
  jobId: string | null
  /** The job of an attempt that was stopped or failed. */
  earlierJob: string | null
  /** Files, empty folders and bytes, without those of many that failed: these are items of their own. */
  contents: Contents
  size: number
  /** Files and bytes that had arrived before the job was opened. */
  before: { files: number; bytes: number }
  /** Bytes that the server had from an earlier attempt. */
  resumedAt: number | null
  /** A message about the end. */
  message: string | null
  /** When it was stopped by a request of another page, by `performance.now()`. */
  stoppedAt: number | null
  /** Whether this person stopped or skipped it. */
  isOwnStop: boolean
  replace: boolean
  /** The file that has its name, once the server has told. */
  existing: { size: number; modifiedAt: string; digest: string | null } | null
  /** The SHA-256 of the chosen file in hex, once it was needed. */
  digest: string | null
  /** Whether the server had the same bytes. */
  isUnchanged: boolean
}

/** All files that were chosen on this page, in order; one item is sent at a time. */
export const uploadItems = signal<readonly UploadItem[]>([])

export const unfinishedStates: readonly UploadState[] = ['queued', 'starting', 'sending', 'lost']

export const isUploading = computed(() =>
  uploadItems.value.some(({ status }) => unfinishedStates.includes(status.value.state)),
)

/** Whether a person has to decide: a name is taken, or something can be tried again. */
export function needsDecision({ status }: UploadItem): boolean {
  const { state, isOwnStop } = status.value
  return state === 'exists' || state === 'failed' || (state === 'stopped' && !isOwnStop)
}

let nextKey = 0

export function newItem(files: readonly ChosenFile[], { replace = false } = {}): UploadItem {
  const { title, identity } = describe(files)
  return {
    key: nextKey++,
    account: me.peek()?.account,
    title,
    files,
    left: new Set(files),
    status: signal<UploadStatus>({
      state: 'queued',
      jobId: null,
      earlierJob: null,
      contents: contentsOf(files),
      size: identity.size,
      before: { files: 0, bytes: 0 },
      resumedAt: null,
      message: null,
      stoppedAt: null,
      isOwnStop: false,
      replace,
      existing: null,
      digest: null,
      isUnchanged: false,
    }),
  }
}

export function change(item: UploadItem, changes: Partial<UploadStatus>): void {
  item.status.value = { ...item.status.peek(), ...changes }
}

export function removeItem(item: UploadItem): void {
  uploadItems.value = uploadItems.peek().filter((other) => other !== item)
}

/** Whether the item is uploaded as a job of many files. */
export function isMany({ files }: UploadItem): boolean {
  return files.length > 1 || files.some(isEmptyFolder)
}

/** The upload's bytes as confirmed by the server. */
export function bytesOf({ status }: UploadItem): number {
  const { state, jobId, resumedAt, size, before } = status.value
  if (state === 'done') return size
  const sent = (jobId === null ? undefined : findLive(jobId)?.record.bytes) ?? resumedAt ?? 0
  return Math.min(size, before.bytes + sent)
}

/** The number of files that have arrived. */
export function arrivedOf({ status }: UploadItem): number {
  const { state, jobId, contents, before } = status.value
  if (state === 'done') return contents.files
  const done = (jobId === null ? undefined : findLive(jobId)?.record.files?.done) ?? 0
  return Math.min(contents.files, before.files + done)
}
