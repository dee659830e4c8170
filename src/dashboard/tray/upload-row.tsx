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
  const { title: name, status } = item
  const { state, jobId, size } = status.value
  const job = jobId === null ? undefined : findLive(jobId)?.record
  const isPaused = job?.state === 'paused'
  const isUnsent = state === 'queued' || state === 'exists'
  const bytes = bytesOf(item)
  const percent = size === 0 ? (state === 'done' ? 100 : 0) : (bytes / size) * 100
  return (
    <article class={`upload is-${state}`} aria-label={say('uploads.one', { name })} data-upload={name}>
      <div class="upload-main">
        <div class="upload-title">
          <FileName name={name} />
          <span class="upload-words">{wordsFor(item, bytes, job)}</span>
        </div>
        <Bar percent={percent} label={say('uploads.bar', { name })} tone={toneOf(item, job)} />
      </div>
      <div class="job-actions">
        {job && (isPaused || (job.state === 'running' && state === 'sending')) && (
          <IconButton
            icon={isPaused ? 'play' : 'pause'}
            label={say(isPaused ? 'uploads.resume' : 'uploads.pause', { name })}
            onClick={() => (isPaused ? resumeJob : pauseJob)(job)}
          />
        )}
        {job && isMany(item) && unfinishedStates.includes(state) && (
          <IconButton icon="limit" label={say('job.limitOne', { name })} onClick={() => onLimit(job.id)} />
        )}
        {state === 'exists' && (
          <button type="button" onClick={() => replaceExisting([item])}>
            {say('uploads.replace')}
          </button>
        )}
        {retryable.includes(state) && (
          <>
            <button type="button" class="plain" onClick={() => retryUploads([item])}>
              {say('states.tryAgain')}
            </button>
            <IconButton
              icon="close"
              tone="careful"
              label={say('tray.forget', { name })}
              onClick={() => removeItem(item)}
            />
          </>
        )}
        {(unfinishedStates.includes(state) || state === 'exists') && (
          <IconButton
            icon={isUnsent ? 'close' : 'stop'}
            tone={isUnsent ? 'careful' : 'danger'}
            label={say(isUnsent ? 'uploads.skip' : 'uploads.stop', { name })}
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
    toastError(say('transfers.notStopped'), error)
  }
}

function wordsFor(item: UploadItem, bytes: number, job: JobRecord | undefined): string {
  const { state, message, resumedAt, size, contents, existing, isUnchanged } = item.status.value
  const { files } = item
  const whole = contentsText(contents)
  const hasFiles = contents.files > 0
  const total = isMany(item) ? `${whole}${hasFiles ? ` · ${formatBytes(size)}` : ''}` : formatBytes(size)
  const arrived = isMany(item) ? `${say('uploads.arrivedOf', { done: arrivedOf(item), contents: whole })} · ` : ''
  const bytesOfAll = say('tray.bytesOf', { bytes: formatBytes(bytes), size: formatBytes(size) })
  const progress = hasFiles ? arrived + bytesOfAll : whole
  switch (state) {
    case 'queued':
      return say('uploads.queued', { size: total })
    case 'starting':
      return say('uploads.starting', { size: total })
    case 'lost':
      return say('uploads.lost', { progress })
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
      return say(isUnchanged ? 'uploads.unchanged' : 'uploads.done', { size: total })
    case 'stopped':
    case 'failed':
      return message ?? say(`state.${state}`)
    case 'sending': {
      if (job?.state === 'waiting') return say('uploads.waiting', { size: total })
      if (job?.state === 'paused') return say('uploads.paused', { progress })
      const parts = [progress]
      if (job?.rate) parts.push(formatRate(job.rate))
      if (job) parts.push(timeLeft(job))
      if (job?.rateLimit && isMany(item)) parts.push(say('uploads.limit', { rate: formatRate(job.rateLimit) }))
      if (resumedAt) parts.push(say('uploads.resumedAt', { bytes: formatBytes(resumedAt) }))
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
