import { computed, effect, type Signal, signal } from '@preact/signals'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { callApi, errorText, Refusal } from '../api.js'
import { queuedDownloads } from '../downloads/download-queue.js'
import { findLive, onJobEnd } from '../live/job-store.js'
import { connection } from '../live/shared-stream.js'
import type { ChosenFile } from './dropped-files.js'
import { settleRemoval } from './pending-removals.js'
import { announceSending } from './sending-lock.js'
import { tusUpload } from './tus-upload.js'
import { openUnfinished } from './unfinished.js'

export type UploadState = 'queued' | 'starting' | 'sending' | 'lost' | 'exists' | 'done' | 'stopped' | 'failed'

export interface UploadItem extends ChosenFile {
  readonly key: number
  /** The account that owns the upload. */
  readonly account: string | undefined
  readonly status: Signal<UploadStatus>
}

export interface UploadStatus {
  state: UploadState
  jobId: string | null
  /** Bytes that the server had from an earlier attempt. */
  resumedAt: number | null
  /** A message about the end. */
  message: string | null
  /** When it was stopped by a request of another page, by `performance.now()`. */
  stoppedAt: number | null
  replace: boolean
}

/** All files that were chosen on this page, in order; one is sent at a time. */
export const uploadItems = signal<readonly UploadItem[]>([])

export const unfinishedStates: readonly UploadState[] = ['queued', 'starting', 'sending', 'lost']

export const isUploading = computed(() =>
  uploadItems.value.some(({ status }) => unfinishedStates.includes(status.value.state)),
)

let nextKey = 0
let running: { item: UploadItem; abort: AbortController } | null = null

export function enqueue(files: ChosenFile[]): void {
  const items = files.map((chosen) => ({
    ...chosen,
    key: nextKey++,
    account: me.peek()?.account,
    status: signal<UploadStatus>({
      state: 'queued',
      jobId: null,
      resumedAt: null,
      message: null,
      stoppedAt: null,
      replace: false,
    }),
  }))
  // Items that ended earlier are not shown again.
  const kept = uploadItems.peek().filter(({ status }) => status.peek().state !== 'done' || isRunning())
  uploadItems.value = [...kept, ...items]
  runNext()
}

/** Stops a running upload, or removes a waiting one from the queue. The receipt has the number of discarded bytes. */
export async function cancelUpload(item: UploadItem): Promise<Receipt | null> {
  const { state, jobId } = item.status.peek()
  if (state === 'queued' || state === 'exists') {
    change(item, { state: 'stopped', message: 'Not sent.' })
    return null
  }
  if (jobId === null) return null
  try {
    const receipt = await callApi<Receipt>('POST', jobPath(jobId, 'stop'))
    endStopped(item, receipt.job)
    return receipt
  } catch (error) {
    // Before the creation is answered, there is no job yet and nothing to clean up.
    if (!(error instanceof Refusal) || error.code !== 'job-not-found') throw error
    abortRunning(item)
    change(item, { state: 'stopped', message: 'Not sent.' })
    return null
  }
}

/** Uploads the item again, replacing the existing file. */
export function replaceExisting(item: UploadItem): void {
  change(item, { state: 'queued', replace: true, message: null })
  runNext()
}

/** Retries a failed or stopped upload. */
export function retryUpload(item: UploadItem): void {
  change(item, { state: 'queued', message: null, jobId: null, resumedAt: null, stoppedAt: null })
  runNext()
}

/** Removes completed items from the list; failed ones stay until the user dismisses them. */
export function clearDone(): void {
  uploadItems.value = uploadItems.peek().filter(({ status }) => status.peek().state !== 'done')
}

/** Removes a failed or stopped item from the list. */
export function dismissUpload(item: UploadItem): void {
  uploadItems.value = uploadItems.peek().filter((other) => other !== item)
}

/** Cancels all uploads because the session has ended. Returns the names of the interrupted ones. */
export function endUploads(): string[] {
  const cut = uploadItems.peek().filter(wasCut)
  for (const item of cut) change(item, { state: 'stopped', message: 'Cut by the end of the session.' })
  running?.abort.abort(new DOMException('The session ended.', 'AbortError'))
  running = null
  return cut.map(({ name }) => name)
}

/** When a session is revoked, the server stops its uploads, and the page may see that first. */
function wasCut({ status }: UploadItem): boolean {
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
  const { name, file, status } = item
  change(item, { state: 'starting' })
  let endAnnouncement = () => {}
  try {
    // Otherwise the name would be taken by a file that is shown as deleted.
    await settleRemoval(name)
    await tusUpload({
      name,
      file,
      replace: status.peek().replace,
      unfinished: openUnfinished(me.peek()?.account ?? ''),
      signal: abort.signal,
      onJob(jobId) {
        endAnnouncement()
        endAnnouncement = announceSending(jobId)
        change(item, { jobId, state: 'sending' })
      },
      onResume: (resumedAt) => change(item, { resumedAt }),
      onLost(isLost) {
        const { state } = status.peek()
        if (isLost && (state === 'sending' || state === 'starting')) change(item, { state: 'lost' })
        if (!isLost && state === 'lost') change(item, { state: 'sending' })
      },
      mostSilenceMs() {
        const { jobId } = status.peek()
        if (connection.peek() === 'offline') return offlineSilenceMs
        const isInterrupted = jobId !== null && findLive(jobId)?.record.state === 'interrupted'
        return isInterrupted ? interruptedSilenceMs : Number.POSITIVE_INFINITY
      },
    })
    change(item, { state: 'done' })
  } catch (error) {
    if (!abort.signal.aborted) fail(item, error)
  }
  endAnnouncement()
  if (running?.item === item) running = null
  runNext()
}

function fail(item: UploadItem, error: unknown): void {
  if (error instanceof Refusal && error.code === 'precondition-failed') change(item, { state: 'exists' })
  else if (error instanceof Refusal && ['job-stopped', 'upload-gone'].includes(error.code)) {
    change(item, { state: 'stopped', message: errorText(error), stoppedAt: performance.now() })
  } else change(item, { state: 'failed', message: errorText(error) })
}

/** Stopped elsewhere: the remaining bytes need not be sent. */
function endStopped(item: UploadItem, { id, stoppedBy, state, error }: JobRecord): void {
  openUnfinished(me.peek()?.account ?? '').remove(id)
  abortRunning(item)
  if (!unfinishedStates.includes(item.status.peek().state)) return
  if (state === 'failed') change(item, { state: 'failed', message: error?.message ?? 'It failed.' })
  else {
    const by = stoppedBy === me.peek()?.account ? 'you' : stoppedBy
    change(item, { state: 'stopped', message: `Stopped by ${by}.`, stoppedAt: performance.now() })
  }
}

function abortRunning(item: UploadItem): void {
  if (running?.item === item) running.abort.abort(new DOMException('Stopped.', 'AbortError'))
}

function change(item: UploadItem, changes: Partial<UploadStatus>): void {
  item.status.value = { ...item.status.peek(), ...changes }
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

/** The upload's progress as confirmed by the server. */
export function bytesOf({ file, status }: UploadItem): number {
  const { state, jobId, resumedAt } = status.value
  if (state === 'done') return file.size
  return (jobId === null ? undefined : findLive(jobId)?.record.bytes) ?? resumedAt ?? 0
}

/** A reload interrupts uploads, which resume when the same file is chosen again, and discards queued downloads. */
export function warnWhileBusy(): () => void {
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  return effect(() => {
    if (isUploading.value || queuedDownloads.value.length > 0) addEventListener('beforeunload', warn)
    else removeEventListener('beforeunload', warn)
  })
}
