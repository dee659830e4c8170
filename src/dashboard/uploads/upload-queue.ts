import { computed, effect, type Signal, signal } from '@preact/signals'
import type { JobRecord, Receipt } from '../../protocol/jobs.js'
import { jobPath } from '../../protocol/routes.js'
import { me } from '../account.js'
import { Refusal, send, wordsOf } from '../api.js'
import { findLive, onJobEnd } from '../live/job-store.js'
import type { ChosenFile } from './dropped-files.js'
import { settleRemoval } from './pending-removals.js'
import { announceSending } from './sending-lock.js'
import { tusUpload } from './tus-upload.js'
import { openUnfinished } from './unfinished.js'

export type UploadState = 'queued' | 'starting' | 'sending' | 'lost' | 'exists' | 'done' | 'stopped' | 'failed'

export interface UploadItem extends ChosenFile {
  readonly key: number
  readonly status: Signal<UploadStatus>
}

export interface UploadStatus {
  state: UploadState
  jobId: string | null
  /** Bytes that the server had from an earlier try. */
  resumedAt: number | null
  /** What there is to say at the end. */
  message: string | null
  replace: boolean
}

/** Everything that was chosen on this page, in its order; one after another is sent. */
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
    status: signal<UploadStatus>({ state: 'queued', jobId: null, resumedAt: null, message: null, replace: false }),
  }))
  // What was over before is not shown again and again.
  const kept = uploadItems.peek().filter(({ status }) => status.peek().state !== 'done' || isRunning())
  uploadItems.value = [...kept, ...items]
  runNext()
}

/** Stops an upload that runs, or takes one that waits out of the queue. The receipt says what was discarded. */
export async function cancelUpload(item: UploadItem): Promise<Receipt | null> {
  const { state, jobId } = item.status.peek()
  if (state === 'queued' || state === 'exists') {
    change(item, { state: 'stopped', message: 'Not sent.' })
    return null
  }
  if (jobId === null) return null
  try {
    const receipt = await send<Receipt>('POST', jobPath(jobId, 'stop'))
    endStopped(item, receipt.job)
    return receipt
  } catch (error) {
    // Before its creation was answered there is no job yet, and nothing to clean up.
    if (!(error instanceof Refusal) || error.code !== 'job-not-found') throw error
    abortRunning(item)
    change(item, { state: 'stopped', message: 'Not sent.' })
    return null
  }
}

/** The file of that name may be replaced after all. */
export function replaceExisting(item: UploadItem): void {
  change(item, { state: 'queued', replace: true, message: null })
  runNext()
}

/** Sends one again that failed or was stopped. */
export function retryUpload(item: UploadItem): void {
  change(item, { state: 'queued', message: null, jobId: null })
  runNext()
}

/** Takes what is over out of the list. */
export function clearEnded(): void {
  uploadItems.value = uploadItems.peek().filter(({ status }) => unfinishedStates.includes(status.peek().state))
}

/** The session has ended, and with it what runs by it. Returns the names of what was cut off. */
export function endUploads(): string[] {
  const cut = uploadItems.peek().filter(({ status }) => unfinishedStates.includes(status.peek().state))
  for (const item of cut) change(item, { state: 'stopped', message: 'The session ended.' })
  running?.abort.abort(new DOMException('The session ended.', 'AbortError'))
  running = null
  return cut.map(({ name }) => name)
}

export function forgetUploads(): void {
  uploadItems.value = []
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
    // Else the name would be taken by what is shown as deleted.
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
    change(item, { state: 'stopped', message: wordsOf(error) })
  } else change(item, { state: 'failed', message: wordsOf(error) })
}

/** Stopped from anywhere: what is still on its way is not worth sending. */
function endStopped(item: UploadItem, { id, stoppedBy, state, error }: JobRecord): void {
  openUnfinished(me.peek()?.account ?? '').remove(id)
  abortRunning(item)
  if (!unfinishedStates.includes(item.status.peek().state)) return
  if (state === 'failed') change(item, { state: 'failed', message: error?.message ?? 'It failed.' })
  else
    change(item, { state: 'stopped', message: `Stopped by ${stoppedBy === me.peek()?.account ? 'you' : stoppedBy}.` })
}

function abortRunning(item: UploadItem): void {
  if (running?.item === item) running.abort.abort(new DOMException('Stopped.', 'AbortError'))
}

function change(item: UploadItem, changes: Partial<UploadStatus>): void {
  item.status.value = { ...item.status.peek(), ...changes }
}

onJobEnd((job) => {
  if (job.state !== 'stopped') return
  const item = uploadItems.peek().find(({ status }) => status.peek().jobId === job.id)
  if (item) endStopped(item, job)
})

/** How far an upload is, as the server has it. */
export function bytesOf({ file, status }: UploadItem): number {
  const { state, jobId, resumedAt } = status.value
  if (state === 'done') return file.size
  return (jobId === null ? undefined : findLive(jobId)?.record.bytes) ?? resumedAt ?? 0
}

/** A reload would break it off: it goes on once the same file is chosen again, but nobody should be surprised. */
export function warnWhileUploading(): () => void {
  const warn = (event: BeforeUnloadEvent) => event.preventDefault()
  return effect(() => {
    if (isUploading.value) addEventListener('beforeunload', warn)
    else removeEventListener('beforeunload', warn)
  })
}
