import type { JobRecord } from '../../protocol/jobs.js'
import { formatBytes } from '../../protocol/units.js'
import { findLive, revision } from '../live/job-store.js'
import { Bar } from '../parts/bar.js'
import { FileName } from '../parts/file-name.js'
import { IconButton } from '../parts/icon-button.js'
import { pauseJob, resumeJob } from '../parts/job-actions.js'
import { askToStop } from '../parts/stop-jobs.js'
import { toastError, toastReceipt } from '../parts/toasts.js'
import { contentsText } from '../uploads/chosen-files.js'
import {
  arrivedOf,
  bytesOf,
  isMany,
  removeItem,
  type UploadItem,
  type UploadState,
  unfinishedStates,
} from '../uploads/upload-items.js'
import { cancelUpload, replaceExisting, retryUploads } from '../uploads/upload-queue.js'
import { formatRate, timeLeft } from '../words/amounts.js'
import { formatShortTime } from '../words/format.js'
import { say } from '../words/say.js'

const retryable: readonly UploadState[] = ['failed', 'stopped']

/** An upload of this page. */
export function UploadRow({ item, onLimit }: { item: UploadItem; onLimit(job: string): void }) {
  revision.value
  const { title, status } = item
  const { state, jobId, size } = status.value
  const job = jobId === null ? undefined : findLive(jobId)?.record
  const isPaused = job?.state === 'paused'
  const bytes = bytesOf(item)
  const percent = size === 0 ? (state === 'done' ? 100 : 0) : (bytes / size) * 100
  return (
    <article class={`upload is-${state}`} aria-label={`Upload ${title}`} data-upload={title}>
      <div class="upload-main">
        <div class="upload-title">
          <FileName name={title} />
          <span class="upload-words">{wordsFor(item, bytes, job)}</span>
        </div>
        <Bar percent={percent} label={`Upload of ${title}`} tone={toneOf(item, job)} />
      </div>
      <div class="job-actions">
        {job && (isPaused || (job.state === 'running' && state === 'sending')) && (
          <IconButton
            icon={isPaused ? 'play' : 'pause'}
            label={`${isPaused ? 'Resume' : 'Pause'} the upload of ${title}`}
            onClick={() => (isPaused ? resumeJob : pauseJob)(job)}
          />
        )}
        {job && isMany(item) && unfinishedStates.includes(state) && (
          <IconButton icon="limit" label={`Limit the rate of ${title}`} onClick={() => onLimit(job.id)} />
        )}
        {state === 'exists' && (
          <button type="button" onClick={() => replaceExisting([item])}>
            Replace
          </button>
        )}
        {retryable.includes(state) && (
          <>
            <button type="button" class="plain" onClick={() => retryUploads([item])}>
              Try again
            </button>
            <IconButton
              icon="close"
              tone="careful"
              label={`Take ${title} off the list`}
              onClick={() => removeItem(item)}
            />
          </>
        )}
        {(unfinishedStates.includes(state) || state === 'exists') && (
          <IconButton
            icon={state === 'queued' || state === 'exists' ? 'close' : 'stop'}
            tone={state === 'queued' || state === 'exists' ? 'careful' : 'danger'}
            label={`${state === 'queued' || state === 'exists' ? 'Skip' : 'Stop'} the upload of ${title}`}
            onClick={() => askToStop(job ? [job] : [], () => cancel(item))}
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

function wordsFor(item: UploadItem, bytes: number, job: JobRecord | undefined): string {
  const { state, message, resumedAt, size, contents, existing, isUnchanged } = item.status.value
  const { files } = item
  const whole = contentsText(contents)
  const hasFiles = contents.files > 0
  const total = isMany(item) ? `${whole}${hasFiles ? ` · ${formatBytes(size)}` : ''}` : formatBytes(size)
  const arrived = isMany(item) ? `${arrivedOf(item).toLocaleString('en')} of ${whole} · ` : ''
  const progress = hasFiles ? `${arrived}${formatBytes(bytes)} of ${formatBytes(size)}` : whole
  switch (state) {
    case 'queued':
      return `${total} · waits for the one before`
    case 'starting':
      return `${total} · starting`
    case 'lost':
      return `${progress} · the connection is lost, trying again`
    case 'exists':
      return existing
        ? say('uploads.existing', {
            size: total,
            date: formatShortTime(new Date(files[0]!.file.lastModified).toISOString()),
            otherSize: formatBytes(existing.size),
            otherDate: formatShortTime(existing.modifiedAt),
          })
        : say('uploads.exists', { size: total })
    case 'done':
      return isUnchanged ? say('uploads.unchanged', { size: total }) : `${total} · done`
    case 'stopped':
    case 'failed':
      return message ?? state
    case 'sending': {
      if (job?.state === 'waiting') return `${total} · waits for another upload of yours to end`
      if (job?.state === 'paused') return `${progress} · paused`
      const parts = [progress]
      if (job?.rate) parts.push(formatRate(job.rate))
      if (job) parts.push(timeLeft(job))
      if (job?.rateLimit && isMany(item)) parts.push(`limit ${formatRate(job.rateLimit)}`)
      if (resumedAt) parts.push(`resumed at ${formatBytes(resumedAt)}`)
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
