import type { JobRecord } from '../../protocol/jobs.js'
import { parsePublished } from '../../protocol/routes.js'
import { formatBytes } from '../../protocol/units.js'
import { type BegunDownload, type Download, forgetDownload } from '../downloads/begun-downloads.js'
import { download, queuedDownloads, runningDownload, skipDownload } from '../downloads/download-queue.js'
import { findLive, revision } from '../live/job-store.js'
import { Bar } from '../parts/bar.js'
import { FileName } from '../parts/file-name.js'
import { IconButton } from '../parts/icon-button.js'
import { stopJob } from '../parts/stop-jobs.js'
import { formatRate, timeLeft } from '../words/amounts.js'
import { say } from '../words/say.js'

/** Downloads that this page has passed to the browser. */
export function DownloadRows({ downloads }: { downloads: readonly BegunDownload[] }) {
  if (downloads.length === 0) return null
  return (
    <ul class="plain-list">
      {downloads.map((begun) => (
        <DownloadRow key={begun.key} begun={begun} />
      ))}
    </ul>
  )
}

function DownloadRow({ begun }: { begun: BegunDownload }) {
  revision.value
  const { download: wanted, jobId, ended } = begun
  const name = shownName(wanted)
  const job = ended ?? (jobId === null ? undefined : findLive(jobId)?.record)
  return (
    <li class={`upload is-${job?.state ?? 'starting'}`} data-begun={wanted.name}>
      <div class="upload-main">
        <div class="upload-title">
          <FileName name={name} />
          <span class="upload-words">{wordsOf(job)}</span>
        </div>
        <Bar percent={percentOf(job)} label={say('tray.downloadBar', { name })} tone={toneOf(job)} />
      </div>
      <div class="job-actions">
        {job?.endedAt === null && (
          <IconButton
            icon="stop"
            tone="danger"
            label={say('tray.stopDownload', { name })}
            onClick={() => stopJob(job)}
          />
        )}
        {ended?.state === 'failed' && (
          <>
            <button type="button" class="plain" onClick={() => tryAgain(begun)}>
              {say('states.tryAgain')}
            </button>
            <IconButton
              icon="close"
              tone="careful"
              label={say('tray.forget', { name })}
              onClick={() => forgetDownload(begun)}
            />
          </>
        )}
      </div>
    </li>
  )
}

function tryAgain(begun: BegunDownload): void {
  forgetDownload(begun)
  download(begun.download)
}

function percentOf(job: JobRecord | undefined): number | null {
  if (job === undefined) return 0
  return job.state === 'done' ? 100 : job.percent
}

function toneOf(job: JobRecord | undefined) {
  if (job?.state === 'failed' || job?.state === 'stopped') return 'bad'
  if (job?.state === 'done') return 'done'
  return job?.state === 'running' ? 'export' : 'held'
}

function wordsOf(job: JobRecord | undefined): string {
  if (job === undefined) return say('tray.downloadStarting')
  const { state, bytes, totalBytes, rate, error, stoppedBy } = job
  if (state === 'done') return say('tray.downloadDone', { bytes: formatBytes(bytes) })
  if (state === 'failed' && error) return error.message
  if (state === 'stopped') return say('states.stoppedBy', { account: stoppedBy ?? '' })
  const parts = [
    totalBytes === null
      ? formatBytes(bytes)
      : say('tray.bytesOf', { bytes: formatBytes(bytes), size: formatBytes(totalBytes) }),
    rate && state === 'running' ? formatRate(rate) : '',
    timeLeft(job),
  ]
  return parts.filter(Boolean).join(' · ')
}

/** The downloads that are queued: each begins by itself when the one before has ended, as long as this page is open. */
export function QueuedDownloads() {
  const downloads = queuedDownloads.value
  if (downloads.length === 0) return null
  const running = runningDownload()
  return (
    <ul class="plain-list">
      {downloads.map((queued, index) => (
        <li key={queued.id} class="upload" data-download={queued.name}>
          <div class="upload-main">
            <div class="upload-title">
              <FileName name={shownName(queued)} />
              <span class="upload-words">
                {say('tray.downloadWaits', { name: plainName(downloads[index - 1]?.name ?? running ?? '') })}
              </span>
            </div>
          </div>
          <div class="job-actions">
            <IconButton
              icon="close"
              tone="careful"
              label={say('tray.skipDownload', { name: plainName(queued.name) })}
              onClick={() => skipDownload(queued)}
            />
          </div>
        </li>
      ))}
    </ul>
  )
}

export function shownName({ name, saveAs }: Download): string {
  return plainName(name) || saveAs
}

function plainName(name: string): string {
  return parsePublished(name)?.name ?? name
}
