import type { JobRecord } from '../../../protocol/jobs.js'
import { formatBytes } from '../../../protocol/units.js'
import { count, formatRate, kindLabels, stateLabels, timeLeft } from '../../labels.js'
import { findLive, type LiveJob, revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { FileName } from '../../parts/file-name.js'
import { Icon, type IconName } from '../../parts/icon.js'
import { IconButton } from '../../parts/icon-button.js'
import { pauseJob, resumeJob, stopJob } from '../../parts/job-actions.js'
import { Sparkline } from '../../parts/sparkline.js'

export interface JobRowProps {
  job: LiveJob
  /** Show the account if jobs of several accounts are listed. */
  showAccount: boolean
  onOpen(id: string): void
  onLimit(id: string): void
}

/** A job that is running or has just ended. */
export function JobRow({ job, showAccount, onOpen, onLimit }: JobRowProps) {
  const { record, rates } = findLive(job.record.id) ?? job
  const { kind, state, percent, rate } = record
  const name = nameOf(record)
  return (
    <article class={`job ${kind} is-${state}`} aria-label={`${kindLabels[kind]} ${name}`} data-job={record.id}>
      <span class="kind-icon" title={kindLabels[kind]}>
        <Icon name={kindIcons[kind]} />
      </span>
      <div class="job-main">
        <div class="job-title">
          <button type="button" class="job-name" onClick={() => onOpen(record.id)}>
            <FileName name={name} />
          </button>
          {showAccount && <span class="account-tag">{record.account}</span>}
          {state !== 'running' && <span class={`state ${state}`}>{stateLabels[state]}</span>}
        </div>
        <Bar percent={percentShown(record)} label={`${kindLabels[kind]} ${name}`} tone={toneOf(record)} />
        <div class="job-facts">
          <span>{progressWords(record)}</span>
          {percent !== null && <span class="percent">{percent} %</span>}
          {rate !== null && state === 'running' && <span class="rate">{formatRate(rate)}</span>}
          {timeLeft(record) && <span>{timeLeft(record)}</span>}
          {record.rateLimit !== null && <span class="limit">limit {formatRate(record.rateLimit)}</span>}
        </div>
      </div>
      <Sparkline rates={rates} revision={revision.value} />
      <div class="job-actions">
        <JobButtons record={record} onLimit={onLimit} />
      </div>
    </article>
  )
}

export function JobButtons({ record, onLimit }: { record: JobRecord; onLimit(id: string): void }) {
  const { kind, state } = record
  const name = nameOf(record)
  const isTransfer = kind === 'upload' || kind === 'export'
  const isPaused = state === 'paused'
  const canStop = ['waiting', 'running', 'paused', 'interrupted'].includes(state)
  return (
    <>
      {/* One button for both actions, so that it keeps the focus. */}
      {isTransfer && (state === 'running' || isPaused) && (
        <IconButton
          icon={isPaused ? 'play' : 'pause'}
          label={`${isPaused ? 'Resume' : 'Pause'} ${name}`}
          onClick={() => (isPaused ? resumeJob : pauseJob)(record)}
        />
      )}
      {isTransfer && canStop && (
        <IconButton icon="limit" label={`Limit the rate of ${name}`} onClick={() => onLimit(record.id)} />
      )}
      {canStop && <IconButton icon="stop" tone="danger" label={`Stop ${name}`} onClick={() => stopJob(record)} />}
    </>
  )
}

export function nameOf({ file, files, table, kind }: JobRecord): string {
  if (files && !file) return files.total === null ? 'files' : count(files.total, 'file')
  return file ?? table ?? kindLabels[kind]
}

export const kindIcons = {
  upload: 'upload',
  export: 'download',
  import: 'import',
  query: 'query',
} as const satisfies Record<string, IconName>

export function percentShown({ percent, state }: JobRecord): number | null {
  if (state === 'done') return 100
  return state === 'waiting' ? 0 : percent
}

export function toneOf({ kind, state }: JobRecord) {
  if (state === 'stopped' || state === 'failed') return 'bad'
  if (state === 'done') return 'done'
  return state === 'running' || state === 'committing' ? kind : 'held'
}

export function progressWords({ bytes, totalBytes, files, error, state, stoppedBy }: JobRecord): string {
  if (state === 'failed' && error) return error.message
  if (state === 'stopped' && stoppedBy) return `stopped by ${stoppedBy}`
  const counted = files ? `${filesDone(files)} · ` : ''
  if (totalBytes === null) return counted + formatBytes(bytes)
  return `${counted}${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
}

/** `5 of 12 files`, and those that failed. */
export function filesDone({ done, total, failed }: NonNullable<JobRecord['files']>): string {
  const whole = total === null ? count(done, 'file') : `${done.toLocaleString('en')} of ${count(total, 'file')}`
  return failed > 0 ? `${whole}, ${failed.toLocaleString('en')} failed` : whole
}
