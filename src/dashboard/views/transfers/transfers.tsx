import { computed } from '@preact/signals'
import { useMemo, useState } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { findLive, isMine, liveJobs, myLiveJobs, revision } from '../../live/job-store.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { goTo, hrefWith } from '../../router.js'
import { say } from '../../words/say.js'
import { ChosenJobsBar } from './chosen-jobs-bar.js'
import { useEndedJobs } from './ended-jobs.js'
import { JobDetails } from './job-details.js'
import { endedParameters, fitsQuery, isFiltered, parseJobQuery, wantsEnded } from './job-query.js'
import { LimitDialog } from './limit-dialog.js'
import { RateOfAll } from './rate-of-all.js'
import { TransferFilters } from './transfer-filters.js'
import { TransferList } from './transfer-list.js'

export interface TransfersProps {
  /** Whether the jobs of all accounts are listed, for an admin; by default the account's own. */
  everyone?: boolean
  /** The parameters of the address: which jobs are listed. */
  parameters: URLSearchParams
  /** The job whose details are shown; null: none. */
  opened: string | null
}

/** Jobs in one live list: running, today, earlier; those of everyone by account. */
export default function TransfersView({ everyone = false, parameters, opened }: TransfersProps) {
  const query = parseJobQuery(parameters, everyone)
  const [limited, setLimited] = useState<readonly string[]>([])
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const base = everyone ? `/admin${routes.jobs}` : routes.jobs
  const open = (id: string | null) => goTo(hrefOfJob(base, id))
  // The list stays the same one while it is open.
  const now = useMemo(() => new Date(), [query.since])
  const fits = (job: JobRecord) => (everyone || isMine(job)) && fitsQuery(job, query, now)
  const running = useRunning(everyone, JSON.stringify(query), fits)
  const ended = useEndedJobs(wantsEnded(query) ? endedParameters(query, everyone, now) : null, fits)
  const all = [...running, ...ended.jobs]
  const chosen = running.filter(({ id, endedAt }) => endedAt === null && selected.has(id))

  function select(ids: readonly string[], isSelected: boolean) {
    const next = new Set(selected)
    for (const id of ids) {
      if (isSelected) next.add(id)
      else next.delete(id)
    }
    setSelected(next)
  }

  return (
    <>
      <header class="view-head">
        <h1>{say(everyone ? 'view.everyJob' : 'view.transfers')}</h1>
      </header>
      <RateOfAll everyone={everyone} />
      <section class="panel transfers" aria-label={say('transfers.list')}>
        {chosen.length > 0 ? (
          <ChosenJobsBar jobs={chosen.map(newest)} onLimit={setLimited} onClear={() => setSelected(new Set())} />
        ) : (
          <TransferFilters
            query={query}
            everyone={everyone}
            accounts={unique(all.map(({ account }) => account))}
            errors={unique(all.flatMap(({ error }) => (error ? [error.code] : [])))}
          />
        )}
        {all.length > 0 && (
          <TransferList
            running={running}
            ended={ended.jobs}
            grouped={query.grouped}
            showAccount={everyone}
            selected={selected}
            onSelect={select}
            onOpen={open}
            onLimit={(id) => setLimited([id])}
            onNearEnd={ended.more}
          />
        )}
        {ended.error !== undefined && <Failed error={ended.error} onRetry={ended.more} />}
        {ended.isComplete === undefined && ended.error === undefined && <Loading />}
        {all.length === 0 && ended.isComplete && <NoJobs filtered={isFiltered(query)} base={base} />}
      </section>
      {opened && <JobDetails key={opened} id={opened} onClose={() => open(null)} onLimit={(id) => setLimited([id])} />}
      {limited.length > 0 && <LimitDialog key={limited.join()} ids={limited} onClose={() => setLimited([])} />}
    </>
  )
}

function NoJobs({ filtered, base }: { filtered: boolean; base: string }) {
  if (!filtered) {
    return (
      <Empty icon="jobs" title={say('transfers.noneYet')}>
        {say('transfers.noneYetText')}
      </Empty>
    )
  }
  return (
    <Empty icon="jobs" title={say('transfers.noneFit')}>
      <p>{say('transfers.noneFitText')}</p>
      <button type="button" onClick={() => goTo(base)}>
        {say('transfers.clearFilters')}
      </button>
    </Empty>
  )
}

/** The address of the details of a job, or of the list alone; what is listed stays. */
function hrefOfJob(base: string, id: string | null): string {
  const [, query = ''] = hrefWith({}).split('?')
  return (id === null ? base : `${base}/${encodeURIComponent(id)}`) + (query && `?${query}`)
}

/**
 * The live jobs that fit. The same array until a job begins, ends, or no longer fits: rows render their own progress, so that the list
 * of many jobs does not with each event. `key` changes with `fits`.
 */
function useRunning(everyone: boolean, key: string, fits: (job: JobRecord) => boolean): readonly JobRecord[] {
  const running = useMemo(() => {
    let last: { states: string; jobs: readonly JobRecord[] } = { states: '', jobs: [] }
    return computed(() => {
      const live = everyone ? liveJobs.value : myLiveJobs.value
      const jobs = live.map(({ record }) => record).filter(fits)
      const states = jobs.map(({ id, state }) => `${id} ${state}`).join()
      if (states !== last.states) last = { states, jobs }
      return last.jobs
    })
  }, [everyone, key])
  return running.value
}

function newest(job: JobRecord): JobRecord {
  revision.value
  return findLive(job.id)?.record ?? job
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}
