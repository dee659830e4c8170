import { effect } from '@preact/signals'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { callApi, errorText, Refusal } from '../api.js'
import { queuedDownloads } from '../downloads/download-queue.js'
import { findLive, onJobEnd } from '../live/job-store.js'
import { connection } from '../live/shared-stream.js'
import { say } from '../words/say.js'
import { contentsOf, describe } from './chosen-files.js'
import { type ChosenFile, isEmptyFolder } from './dropped-files.js'
import { keepHandles } from './kept-handles.js'
import { uploadTogether } from './many-upload.js'
import { settleRemoval } from './pending-removals.js'
import type { Sender } from './sender.js'
import { announceSending } from './sending-lock.js'
import { tusUpload } from './tus-upload.js'
import { openUnfinished } from './unfinished.js'
import {
  change,
  isMany,
  isUploading,
  newItem,
  removeItem,
  type UploadItem,
  unfinishedStates,
  uploadItems,
} from './upload-items.js'

let running: { item: UploadItem; abort: AbortController } | null = null

/** Queues the upload of a file, or of several files as one job. */
export function enqueue(files: readonly ChosenFile[], options?: { replace: boolean }): void {
  if (files.length === 0) return
  // Items that ended earlier are not shown again.
  const kept = uploadItems.peek().filter(({ status }) => status.peek().state !== 'done' || isRunning())
  uploadItems.value = [...kept, newItem(files, options)]
  runNext()
}

/** Stops a running upload, or removes a waiting one from the queue. The receipt has the number of discarded bytes. */
export async function cancelUpload(item: UploadItem): Promise<Receipt | null> {
  const { state, jobId } = item.status.peek()
  if (state === 'queued' || state === 'exists') {
    change(item, { state: 'stopped', message: say('uploads.notSent'), isOwnStop: true })
    return null
  }
  if (jobId === null) return null
  change(item, { isOwnStop: true })
  try {
    const receipt = await callApi<Receipt>('POST', jobPath(jobId, 'stop'))
    endStopped(item, receipt.job)
    return receipt
  } catch (error) {
    // Before the creation is answered, there is no job yet and nothing to clean up.
    if (!(error instanceof Refusal) || error.code !== 'job-not-found') {
      change(item, { isOwnStop: false })
      throw error
    }
    abortRunning(item)
    change(item, { state: 'stopped', message: say('uploads.notSent') })
    return null
  }
}

/** Uploads the files again, replacing existing ones. */
export function replaceExisting(items: readonly UploadItem[]): void {
  for (const item of items) change(item, { replace: true })
  retryUploads(items)
}

/** Retries failed or stopped uploads: those that failed alone as one job. */
export function retryUploads(items: readonly UploadItem[]): void {
  const isAlone = ({ files }: UploadItem) => files.length === 1
  for (const replace of [false, true]) {
    const alone = items.filter((item) => isAlone(item) && item.status.peek().replace === replace)
    if (alone.length === 1) retry(alone[0]!)
    if (alone.length < 2) continue
    uploadItems.value = uploadItems.peek().filter((item) => !alone.includes(item))
    enqueue(
      alone.flatMap(({ files }) => files),
      { replace },
    )
  }
  for (const item of items) if (!isAlone(item)) retry(item)
}

function retry(item: UploadItem): void {
  const { jobId: earlierJob } = item.status.peek()
  const again = {
    state: 'queued',
    message: null,
    jobId: null,
    resumedAt: null,
    stoppedAt: null,
    isOwnStop: false,
  } as const
  change(item, { ...again, earlierJob })
  runNext()
}

/** Removes completed items from the list; failed ones stay until the user dismisses them. */
export function clearDoneUploads(): void {
  uploadItems.value = uploadItems.peek().filter(({ status }) => status.peek().state !== 'done')
}

/** Cancels all uploads because the session has ended. Returns the names of the interrupted files. */
export function endUploads(): string[] {
  const interrupted = uploadItems.peek().filter(wasInterrupted)
  for (const item of interrupted) change(item, { state: 'stopped', message: say('uploads.signedOut') })
  running?.abort.abort(new DOMException('The session ended.', 'AbortError'))
  running = null
  return interrupted.flatMap(({ left }) => [...left].map(({ name }) => name))
}

/** Also an upload that was just stopped: when a session is revoked, the page may learn of the stop first. */
function wasInterrupted({ status }: UploadItem): boolean {
  const { state, stoppedAt } = status.peek()
  return unfinishedStates.includes(state) || (stoppedAt !== null && performance.now() - stoppedAt < revocationMs)
}

/** Uploads of another account must not be shown to this one. */
export function keepUploadsOf(account: string): void {
  uploadItems.value = uploadItems.peek().filter((item) => item.account === account)
}

function isRunning(): boolean {
  return running !== null
}

function runNext(): void {
  if (running || !me.peek()) return
  const item = uploadItems.peek().find(({ status }) => status.peek().state === 'queued')
  if (item) run(item)
}

async function run(item: UploadItem): Promise<void> {
  const abort = new AbortController()
  running = { item, abort }
  const { status } = item
  change(item, { state: 'starting' })
  let endAnnouncement = () => {}
  const onJob = (jobId: string) => {
    endAnnouncement()
    endAnnouncement = announceSending(jobId)
    change(item, { jobId, state: 'sending' })
    const upload = { id: jobId, account: me.peek()?.account ?? '', files: item.files }
    // Without them, the files are chosen again after a crash: a browser may refuse to store them.
    keepHandles(upload, unfinishedIds()).catch(() => {})
  }
  const sender: Sender = {
    signal: abort.signal,
    onLost(isLost) {
      const { state } = status.peek()
      if (isLost && (state === 'sending' || state === 'starting')) change(item, { state: 'lost' })
      if (!isLost && state === 'lost') change(item, { state: 'sending' })
    },
    maxSilenceMs() {
      const { jobId } = status.peek()
      if (connection.peek() === 'offline') return offlineSilenceMs
      const isInterrupted = jobId !== null && findLive(jobId)?.record.state === 'interrupted'
      return isInterrupted ? interruptedSilenceMs : Number.POSITIVE_INFINITY
    },
  }
  try {
    // Otherwise a file that is shown as deleted would still have the name.
    await Promise.all(item.files.map(({ name }) => settleRemoval(name)))
    await (isMany(item) ? sendMany(item, sender, onJob) : sendOne(item, sender, onJob))
    const { files, emptyFolders } = status.peek().contents
    if (files + emptyFolders === 0) removeItem(item)
    else change(item, { state: 'done' })
  } catch (error) {
    if (!abort.signal.aborted) fail(item, error)
  }
  endAnnouncement()
  if (running?.item === item) running = null
  runNext()
}

async function sendOne(item: UploadItem, sender: Sender, onJob: (id: string) => void): Promise<void> {
  const { replace } = item.status.peek()
  const onResume = (resumedAt: number) => change(item, { resumedAt })
  await tusUpload({ ...sender, ...item.files[0]!, replace, unfinished: unfinished(), onJob, onResume })
  item.left.clear()
}

async function sendMany(item: UploadItem, sender: Sender, onJob: (id: string) => void): Promise<void> {
  const { left, status, files } = item
  const { replace, earlierJob: earlier } = status.peek()
  await uploadTogether({
    ...sender,
    ...describe(files),
    left,
    replace,
    earlier,
    unfinished: unfinished(),
    onJob(id, continues) {
      const bytes = [...left].reduce((sum, { file }) => sum + file.size, 0)
      const { contents, size } = status.peek()
      // The job that is continued counts what it has received.
      if (!continues) change(item, { before: { files: contents.files - contentsOf(left).files, bytes: size - bytes } })
      onJob(id)
    },
    onDone: (chosen) => left.delete(chosen),
    onFailed(chosen, error) {
      if (!left.delete(chosen)) return
      const { contents, size } = status.peek()
      const key = isEmptyFolder(chosen) ? 'emptyFolders' : 'files'
      change(item, { contents: { ...contents, [key]: contents[key] - 1 }, size: size - chosen.file.size })
      const alone = newItem([chosen], { replace })
      fail(alone, error)
      uploadItems.value = [...uploadItems.peek(), alone]
    },
  })
}

function fail(item: UploadItem, error: unknown): void {
  if (error instanceof Refusal && error.code === 'precondition-failed') change(item, { state: 'exists' })
  else if (error instanceof Refusal && ['job-stopped', 'upload-gone'].includes(error.code)) {
    change(item, { state: 'stopped', message: errorText(error), stoppedAt: performance.now() })
  } else change(item, { state: 'failed', message: errorText(error) })
}

/** The job was stopped: the remaining bytes need not be sent. */
function endStopped(item: UploadItem, { id, stoppedBy, state, error }: JobRecord): void {
  unfinished().remove(id)
  abortRunning(item)
  if (!unfinishedStates.includes(item.status.peek().state)) return
  if (state === 'failed') change(item, { state: 'failed', message: error?.message ?? say('uploads.failed') })
  else {
    const isOwnStop = stoppedBy === me.peek()?.account
    const message = isOwnStop ? say('uploads.stoppedByYou') : say('states.stoppedBy', { account: stoppedBy ?? '' })
    change(item, { state: 'stopped', message, stoppedAt: performance.now(), isOwnStop })
  }
}

function abortRunning(item: UploadItem): void {
  if (running?.item === item) running.abort.abort(new DOMException('Stopped.', 'AbortError'))
}

function unfinishedIds(): string[] {
  return unfinished()
    .list()
    .map(({ id }) => id)
}

function unfinished() {
  return openUnfinished(me.peek()?.account ?? '')
}

const revocationMs = 3000
const offlineSilenceMs = 4500
/** The server has lost the connection. Much longer than a browser needs to read the rest of a large file. */
const interruptedSilenceMs = 20_000

onJobEnd((job) => {
  if (job.state !== 'stopped') return
  const item = uploadItems.peek().find(({ status }) => status.peek().jobId === job.id)
  if (item) endStopped(item, job)
})

/** A reload interrupts uploads, which resume when the same files are chosen again, and discards queued downloads. */
export function warnWhileBusy(): () => void {
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  return effect(() => {
    if (isUploading.value || queuedDownloads.value.length > 0) addEventListener('beforeunload', warn)
    else removeEventListener('beforeunload', warn)
  })
}
