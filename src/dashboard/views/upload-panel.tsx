import type { JobRecord } from '../../protocol/jobs.js'
import { formatBytes } from '../../protocol/units.js'
import { count, formatRate, timeLeft } from '../labels.js'
import { findLive, revision } from '../live/job-store.js'
import { Bar } from '../parts/bar.js'
import { FileName } from '../parts/file-name.js'
import { IconButton } from '../parts/icon-button.js'
import { pauseJob, resumeJob } from '../parts/job-actions.js'
import { useMedia } from '../parts/media.js'
import { toastError, toastReceipt } from '../parts/toasts.js'
import { VirtualList } from '../parts/virtual-list.js'
import {
  bytesOf,
  cancelUpload,
  clearDone,
  dismissUpload,
  replaceExisting,
  retryUpload,
  type UploadItem,
  type UploadState,
  type UploadStatus,
  unfinishedStates,
  uploadItems,
} from '../uploads/upload-queue.js'

/** The uploads of this page, one at a time, each with a progress bar. */
export function UploadPanel() {
  const items = uploadItems.value
  const isNarrow = useMedia('(max-width: 44rem)')
  if (items.length === 0) return null
  const done = items.filter(({ status }) => status.value.state === 'done').length
  const again = items.filter(({ status }) => retryable.includes(status.value.state))
  return (
    <section class="panel uploads" aria-labelledby="uploads">
      <header class="panel-head">
        <h2 id="uploads">{headingOf(items)}</h2>
        {again.length > 1 && (
          <button type="button" class="plain" onClick={() => again.forEach(retryUpload)}>
            Try all again
          </button>
        )}
        {done > 0 && (
          <button type="button" class="plain" onClick={clearDone}>
            Clear what is done
          </button>
        )}
      </header>
      {items.length > 1 && <Whole items={items} />}
      <VirtualList
        items={inSight(items)}
        keyOf={({ key }) => key}
        rowHeight={isNarrow ? 104 : 68}
        rowsShown={isNarrow ? 4 : 6}
        label="Uploads"
      >
        {(item) => <UploadRow item={item} />}
      </VirtualList>
    </section>
  )
}

/** Failed uploads are never listed under "Uploaded". */
function headingOf(items: readonly UploadItem[]): string {
  const left = items.filter(({ status }) => unfinishedStates.includes(status.value.state)).length
  if (left > 0) return `Uploading ${count(left, 'file')}`
  const missing = items.filter(({ status }) => status.value.state !== 'done').length
  return missing > 0 ? `Not uploaded: ${count(missing, 'file')}` : 'Uploaded'
}

const retryable: readonly UploadState[] = ['failed', 'stopped']

/** The total progress by bytes, without failed uploads. */
function Whole({ items }: { items: readonly UploadItem[] }) {
  revision.value
  const done = items.filter(({ status }) => status.value.state === 'done')
  const wanted = items.filter(({ status }) => rankOf(status.value) !== failedRank)
  const bytes = wanted.reduce((sum, item) => sum + bytesOf(item), 0)
  const size = wanted.reduce((sum, { file }) => sum + file.size, 0)
  const [part, whole] = size > 0 ? [bytes, size] : [done.length, wanted.length]
  return (
    <div class="uploads-whole upload">
      <p class="dim">
        {done.length.toLocaleString('en')} of {count(items.length, 'file')} · {formatBytes(bytes)} of{' '}
        {formatBytes(size)}
      </p>
      <Bar percent={whole > 0 ? (part / whole) * 100 : 0} label="All uploads" tone={part < whole ? 'upload' : 'done'} />
    </div>
  )
}

/** Active uploads first, then those that need attention; completed ones last. */
function inSight(items: readonly UploadItem[]): UploadItem[] {
  return items.toSorted((one, other) => rankOf(one.status.value) - rankOf(other.status.value))
}

const failedRank = 1

function rankOf({ state }: UploadStatus): number {
  if (state === 'done') return 3
  if (state === 'queued') return 2
  return unfinishedStates.includes(state) ? 0 : failedRank
}

function UploadRow({ item }: { item: UploadItem }) {
  revision.value
  const { name, file, status } = item
  const { state, jobId } = status.value
  const job = jobId === null ? undefined : findLive(jobId)?.record
  const isPaused = job?.state === 'paused'
  const bytes = bytesOf(item)
  const percent = file.size === 0 ? (state === 'done' ? 100 : 0) : (bytes / file.size) * 100
  return (
    <article class={`upload is-${state}`} aria-label={`Upload ${name}`} data-upload={name}>
      <div class="upload-main">
        <div class="upload-title">
          <FileName name={name} />
          <span class="upload-words">{wordsFor(item, bytes, job)}</span>
        </div>
        <Bar percent={percent} label={`Upload of ${name}`} tone={toneOf(item, job)} />
      </div>
      <div class="job-actions">
        {job && (isPaused || (job.state === 'running' && state === 'sending')) && (
          <IconButton
            icon={isPaused ? 'play' : 'pause'}
            label={`${isPaused ? 'Resume' : 'Pause'} the upload of ${name}`}
            onClick={() => (isPaused ? resumeJob : pauseJob)(job)}
          />
        )}
        {state === 'exists' && (
          <button type="button" onClick={() => replaceExisting(item)}>
            Replace
          </button>
        )}
        {retryable.includes(state) && (
          <>
            <button type="button" class="plain" onClick={() => retryUpload(item)}>
              Try again
            </button>
            <IconButton
              icon="close"
              tone="careful"
              label={`Take ${name} off the list`}
              onClick={() => dismissUpload(item)}
            />
          </>
        )}
        {(unfinishedStates.includes(state) || state === 'exists') && (
          <IconButton
            icon={state === 'queued' || state === 'exists' ? 'close' : 'stop'}
            tone={state === 'queued' || state === 'exists' ? 'careful' : 'danger'}
            label={`${state === 'queued' || state === 'exists' ? 'Skip' : 'Stop'} the upload of ${name}`}
            onClick={() => cancel(item)}
          />
        )}
      </div>
    </article>
  )
}

async function cancel(item: UploadItem): Promise<void> {
  try {
    const receipt = await cancelUpload(item)
    if (receipt) toastReceipt(receipt)
  } catch (error) {
    toastError('Not stopped', error)
  }
}

function wordsFor({ file, status }: UploadItem, bytes: number, job: JobRecord | undefined): string {
  const { state, message, resumedAt } = status.value
  const size = formatBytes(file.size)
  switch (state) {
    case 'queued':
      return `${size} · waits for the one before`
    case 'starting':
      return `${size} · starting`
    case 'lost':
      return `${formatBytes(bytes)} of ${size} · the connection is lost, trying again`
    case 'exists':
      return `${size} · a file of this name exists`
    case 'done':
      return `${size} · done`
    case 'stopped':
    case 'failed':
      return message ?? state
    case 'sending': {
      if (job?.state === 'waiting') return `${size} · waits for another upload of yours to end`
      if (job?.state === 'paused') return `${formatBytes(bytes)} of ${size} · paused`
      const parts = [`${formatBytes(bytes)} of ${size}`]
      if (job?.rate) parts.push(formatRate(job.rate))
      if (job) parts.push(timeLeft(job))
      if (resumedAt) parts.push(`went on from ${formatBytes(resumedAt)}`)
      return parts.filter(Boolean).join(' · ')
    }
  }
}

function toneOf({ status }: UploadItem, job: JobRecord | undefined) {
  const { state } = status.value
  if (state === 'done') return 'done'
  if (state === 'failed' || state === 'stopped') return 'bad'
  return state === 'sending' && job?.state !== 'paused' && job?.state !== 'waiting' ? 'upload' : 'held'
}
