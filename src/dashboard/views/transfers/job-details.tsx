import { useRef } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { jobPath } from '../../../protocol/routes.js'
import { formatBytes, formatDuration } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { formatRate, kindLabels, stateLabels, timeLeft } from '../../labels.js'
import { findLive, revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { Dialog } from '../../parts/dialog.js'
import { FileName } from '../../parts/file-name.js'
import { LazyChart } from '../../parts/lazy-chart.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { filesDone, JobButtons, nameOf } from './job-row.js'

/** All details of one job: the chart of its rate while it runs, and how it ended. */
export function JobDetails({ id, onClose, onLimit }: { id: string; onClose(): void; onLimit(id: string): void }) {
  revision.value
  const live = findLive(id)
  // Reloaded when it is no longer live: the first response showed a running job.
  const key = `${id} ${live ? 'live' : 'ended'}`
  const { value, error, reload } = useLoaded(key, (signal) => callApi<JobRecord>('GET', jobPath(id), { signal }))
  const last = useRef<JobRecord | undefined>(undefined)
  last.current = live?.record ?? value ?? last.current
  const record = last.current
  if (!record) {
    return (
      <Dialog title="Job" onClose={onClose} wide>
        {error ? <Failed error={error} onRetry={reload} /> : <Loading rows={4} />}
      </Dialog>
    )
  }
  return (
    <Dialog title={<FileName name={nameOf(record)} />} onClose={onClose} wide>
      <div class={`job-details ${record.kind}`}>
        <p class="job-details-state">
          <span class={`state ${record.state}`}>{stateLabels[record.state]}</span>
          {live?.endedAt === null && (
            <span class="job-actions">
              <JobButtons record={record} onLimit={onLimit} />
            </span>
          )}
        </p>
        {record.endedAt === null && (
          <Bar percent={record.percent} label={`Progress of ${nameOf(record)}`} tone={record.kind} />
        )}
        {live && live.rates.length > 1 && (
          <LazyChart
            times={live.rates.map(({ at }) => at)}
            values={live.rates.map(({ rate }) => rate)}
            label={`Rate of ${nameOf(record)}`}
            format={formatRate}
            kind="rate"
            seconds={15}
          />
        )}
        <Facts record={record} />
      </div>
    </Dialog>
  )
}

function Facts({ record }: { record: JobRecord }) {
  const { startedAt, endedAt, error } = record
  const took = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null
  const facts: [string, string | null][] = [
    ['Kind', kindLabels[record.kind]],
    ['Account', record.account],
    ['Table', record.table],
    [
      'Bytes',
      `${formatBytes(record.bytes)}${record.totalBytes === null ? '' : ` of ${formatBytes(record.totalBytes)}`}`,
    ],
    ['Files', record.files && filesDone(record.files)],
    ['Rows', record.rows?.toLocaleString('en') ?? null],
    ['Rate', record.rate === null ? null : `${formatRate(record.rate)} ${timeLeft(record) && `· ${timeLeft(record)}`}`],
    ['Limit', record.rateLimit === null ? null : formatRate(record.rateLimit)],
    ['Started', startedAt && new Date(startedAt).toLocaleString()],
    ['Ended', endedAt && new Date(endedAt).toLocaleString()],
    ['Took', took === null ? null : formatDuration(took)],
    ['On average', took ? formatRate((record.bytes / took) * 1000) : null],
    ['Stopped by', record.stoppedBy],
    ['Failed', record.files?.failures.map(({ name, message }) => `${name}: ${message}`).join('\n') || null],
    ['Error', error && `${error.message} (${error.code})`],
    ['Id', record.id],
  ]
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
