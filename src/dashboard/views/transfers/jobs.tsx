import { useState } from 'preact/hooks'
import { jobPath, routes } from '../../../protocol/routes.js'
import { count, formatRate } from '../../labels.js'
import { type LiveJob, liveJobs, myLiveJobs, revision, totalRates } from '../../live/job-store.js'
import { LazyChart } from '../../parts/lazy-chart.js'
import { useMedia } from '../../parts/media.js'
import { Empty } from '../../parts/states.js'
import { VirtualList } from '../../parts/virtual-list.js'
import { goTo } from '../../router.js'
import { say } from '../../words/say.js'
import { JobDetails } from './job-details.js'
import { JobHistoryView } from './job-history.js'
import { JobRow } from './job-row.js'
import { LimitDialog } from './limit-dialog.js'

/** Running jobs, live, and past ones. An admin chooses whose. */
export function JobsView({ isAdmin, opened }: { isAdmin: boolean; opened: string | null }) {
  const [everyone, setEveryone] = useState(isAdmin)
  const open = (id: string | null) => goTo(id === null ? routes.jobs : jobPath(id))
  const [limited, setLimited] = useState<string | null>(null)
  const jobs = everyone ? liveJobs.value : myLiveJobs.value
  return (
    <>
      <header class="view-head">
        <h1>{say('view.transfers')}</h1>
        {isAdmin && (
          <fieldset class="switch">
            <legend class="hidden">Whose jobs</legend>
            {[true, false].map((all) => (
              <label key={String(all)}>
                <input
                  type="radio"
                  name="whose"
                  class="hidden"
                  checked={everyone === all}
                  onChange={() => setEveryone(all)}
                />
                <span>{all ? 'Everyone’s' : 'Mine'}</span>
              </label>
            ))}
          </fieldset>
        )}
      </header>
      <TotalRate everyone={everyone} jobs={jobs} />
      <section class="panel" aria-labelledby="running">
        <header class="panel-head">
          <h2 id="running">Running</h2>
          <span class="dim">{count(jobs.filter(({ endedAt }) => endedAt === null).length, 'job')}</span>
        </header>
        {jobs.length === 0 ? (
          <Empty icon="jobs" title="Nothing is running">
            Uploads, downloads, imports and queries show up here while they run, wherever they were started.
          </Empty>
        ) : (
          <RunningJobs jobs={jobs} everyone={everyone} onOpen={open} onLimit={setLimited} />
        )}
      </section>
      <JobHistoryView everyone={everyone} onOpen={open} />
      {opened && <JobDetails key={opened} id={opened} onClose={() => open(null)} onLimit={setLimited} />}
      {limited && <LimitDialog key={limited} id={limited} onClose={() => setLimited(null)} />}
    </>
  )
}

interface RunningJobsProps {
  jobs: LiveJob[]
  everyone: boolean
  onOpen(id: string): void
  onLimit(id: string): void
}

function RunningJobs({ jobs, everyone, onOpen, onLimit }: RunningJobsProps) {
  const isNarrow = useMedia('(max-width: 44rem)')
  return (
    <VirtualList
      items={jobs}
      keyOf={idOf}
      rowHeight={isNarrow ? 136 : 84}
      rowsShown={isNarrow ? 5 : 8}
      label="Running jobs"
    >
      {(job) => <JobRow job={job} showAccount={everyone} onOpen={onOpen} onLimit={onLimit} />}
    </VirtualList>
  )
}

function idOf({ record }: LiveJob): string {
  return record.id
}

/** The total rate, with a chart of the last minutes. */
function TotalRate({ everyone, jobs }: { everyone: boolean; jobs: LiveJob[] }) {
  revision.value
  const now = jobs.reduce((sum, { record }) => sum + (record.state === 'running' ? (record.rate ?? 0) : 0), 0)
  const label = everyone ? 'Rate of the whole server' : 'Rate of all my jobs'
  return (
    <section class="panel total" aria-label={label}>
      <div class="total-now">
        <span class="dim">{everyone ? 'The whole server' : 'All my jobs'}</span>
        <strong>{formatRate(now)}</strong>
      </div>
      <LazyChart
        times={totalRates.map(({ at }) => at)}
        values={totalRates.map(({ all, mine }) => (everyone ? all : mine))}
        label={label}
        format={formatRate}
        kind="rate"
        seconds={120}
        height={140}
      />
    </section>
  )
}
