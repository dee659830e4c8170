import type { JobRecord } from '../../../protocol/jobs.js'
import { pauseJob, resumeJob } from '../../parts/job-actions.js'
import { stopJobs } from '../../parts/stop-jobs.js'
import { say } from '../../words/say.js'

export interface ChosenJobsBarProps {
  /** They run. */
  jobs: readonly JobRecord[]
  onLimit(ids: readonly string[]): void
  onClear(): void
}

/** What can be done with the selected jobs. */
export function ChosenJobsBar({ jobs, onLimit, onClear }: ChosenJobsBarProps) {
  const transfers = jobs.filter(({ kind, state }) => kind !== 'import' && kind !== 'query' && state !== 'committing')
  const moving = transfers.filter(({ state }) => state === 'running')
  const paused = transfers.filter(({ state }) => state === 'paused')
  const stoppable = jobs.filter(({ state }) => state !== 'committing')
  return (
    <section class="selection" aria-label={say('transfers.selection')}>
      <strong role="status">{say('transfers.selected', { count: jobs.length })}</strong>
      {moving.length > 0 && (
        <button type="button" onClick={() => moving.map(pauseJob)}>
          {say('transfers.pauseMany', { count: moving.length })}
        </button>
      )}
      {paused.length > 0 && (
        <button type="button" onClick={() => paused.map(resumeJob)}>
          {say('transfers.resumeMany', { count: paused.length })}
        </button>
      )}
      {transfers.length > 0 && (
        <button type="button" onClick={() => onLimit(transfers.map(({ id }) => id))}>
          {say('transfers.limitMany', { count: transfers.length })}
        </button>
      )}
      {stoppable.length > 0 && (
        <button type="button" class="danger" onClick={() => stopJobs(stoppable)}>
          {say('transfers.stopMany', { count: stoppable.length })}
        </button>
      )}
      <button type="button" class="plain" onClick={onClear}>
        {say('transfers.clear')}
      </button>
    </section>
  )
}
