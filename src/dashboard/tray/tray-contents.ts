import { type BegunDownload, begunDownloads, type Download } from '../downloads/begun-downloads.js'
import { queuedDownloads } from '../downloads/download-queue.js'
import { findLive } from '../live/job-store.js'
import { type Contents, contentsText } from '../uploads/chosen-files.js'
import type { Unfinished } from '../uploads/unfinished.js'
import {
  arrivedOf,
  bytesOf,
  needsDecision,
  type UploadItem,
  unfinishedStates,
  uploadItems,
} from '../uploads/upload-items.js'
import { say } from '../words/say.js'

/** What the tray shows, in its groups. */
export interface TrayContents {
  needs: { uploads: UploadItem[]; downloads: BegunDownload[]; unfinished: readonly Unfinished[]; count: number }
  running: { uploads: UploadItem[]; downloads: BegunDownload[]; queued: readonly Download[]; count: number }
  done: { uploads: UploadItem[]; downloads: BegunDownload[]; count: number }
}

/** `unfinished`: uploads of an earlier page that are not being sent. */
export function contentsOfTray(unfinished: readonly Unfinished[]): TrayContents {
  const [uploads, downloads, queued] = [uploadItems.value, begunDownloads.value, queuedDownloads.value]
  const needs = {
    uploads: uploads.filter(needsDecision),
    downloads: downloads.filter(({ ended }) => ended?.state === 'failed'),
    unfinished,
  }
  const running = {
    uploads: uploads.filter(({ status }) => unfinishedStates.includes(status.value.state)),
    downloads: downloads.filter(({ ended }) => ended === null),
    queued,
  }
  const done = {
    uploads: uploads.filter((item) => !needs.uploads.includes(item) && !running.uploads.includes(item)),
    downloads: downloads.filter(({ ended }) => ended !== null && ended.state !== 'failed'),
  }
  return {
    needs: { ...needs, count: needs.uploads.length + needs.downloads.length + unfinished.length },
    running: { ...running, count: running.uploads.length + running.downloads.length + queued.length },
    done: { ...done, count: done.uploads.length + done.downloads.length },
  }
}

/** How many need a decision, and what runs. Changes seldom: it is read out. */
export function wordsOfState({ needs, running }: TrayContents): string {
  const downloads = running.downloads.length + running.queued.length
  return [
    needs.count > 0 && say('tray.needs', { count: needs.count }),
    running.uploads.length > 0 && say('tray.uploading', { contents: contentsText(sumOf(running.uploads)) }),
    downloads > 0 && say('tray.downloading', { count: downloads }),
  ]
    .filter(Boolean)
    .join(' · ')
}

/** What has ended. */
export function wordsOfEnd({ done }: TrayContents): string {
  const uploaded = done.uploads.filter(({ status }) => status.value.state === 'done')
  const downloaded = done.downloads.filter(({ ended }) => ended?.state === 'done').length
  const words = [
    uploaded.length > 0 && say('tray.uploaded', { contents: contentsText(sumOf(uploaded)) }),
    downloaded > 0 && say('tray.downloaded', { count: downloaded }),
  ].filter(Boolean)
  return words.length > 0 ? words.join(' · ') : say('tray.stopped')
}

export interface TrayProgress {
  files: { done: number; all: number }
  bytes: number
  size: number
  /** 0 to 100. */
  percent: number
  /** Bytes per second, as far as there is news; 0 without. */
  rate: number
}

/** Of the uploads that run and those that are done; null if none runs. */
export function progressOf({ running, done }: TrayContents): TrayProgress | null {
  if (running.uploads.length === 0) return null
  const arrived = done.uploads.filter(({ status }) => status.value.state === 'done')
  const progress = { files: { done: 0, all: 0 }, bytes: 0, size: 0, rate: 0 }
  for (const item of [...running.uploads, ...arrived]) {
    const { contents, size, jobId } = item.status.value
    progress.files.done += arrivedOf(item)
    progress.files.all += contents.files
    progress.bytes += bytesOf(item)
    progress.size += size
    const job = jobId === null ? undefined : findLive(jobId)?.record
    if (job?.state === 'running') progress.rate += job.rate ?? 0
  }
  const { files, bytes, size } = progress
  const [part, whole] = size > 0 ? [bytes, size] : [files.done, files.all]
  return { ...progress, percent: whole > 0 ? (part / whole) * 100 : 0 }
}

function sumOf(items: readonly UploadItem[]): Contents {
  const sum = { files: 0, emptyFolders: 0 }
  for (const { status } of items) {
    sum.files += status.value.contents.files
    sum.emptyFolders += status.value.contents.emptyFolders
  }
  return sum
}
