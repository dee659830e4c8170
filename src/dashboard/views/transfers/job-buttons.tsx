import type { JobRecord } from '../../../protocol/jobs.js'
import { IconButton } from '../../parts/icon-button.js'
import { pauseJob, resumeJob } from '../../parts/job-actions.js'
import { stopJob } from '../../parts/stop-jobs.js'
import { say } from '../../words/say.js'
import { nameOf } from './job-words.js'

/** Pause, limit and stop, as far as the job can be. */
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
          label={say(isPaused ? 'job.resumeOne' : 'job.pauseOne', { name })}
          onClick={() => (isPaused ? resumeJob : pauseJob)(record)}
        />
      )}
      {isTransfer && canStop && (
        <IconButton icon="limit" label={say('job.limitOne', { name })} onClick={() => onLimit(record.id)} />
      )}
      {canStop && (
        <IconButton icon="stop" tone="danger" label={say('job.stopOne', { name })} onClick={() => stopJob(record)} />
      )}
    </>
  )
}
