import { useState } from 'preact/hooks'
import type { JobKind, JobList, JobRecord, JobState } from '../../../protocol/jobs.js'
import { routes } from '../../../protocol/routes.js'
import { formatBytes, formatDuration } from '../../../protocol/units.js'
import { callApi } from '../../api.js'
import { kindLabels, pluralLabels, stateLabels } from '../../labels.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { useLoaded } from '../../parts/loaded.js'
import { Pager } from '../../parts/pager.js'
import { useReloadAfter } from '../../parts/reload-after.js'
import { Empty, Failed, Loading } from '../../parts/states.js'
import { formatShortTime } from '../../words/format.js'
import { kindIcons, nameOf } from './job-row.js'

const ended = ['done', 'stopped', 'failed'] as const satisfies JobState[]
const kinds = Object.keys(kindLabels) as JobKind[]
const pageSize = 20

/** Past jobs: filtered by kind and state, page by page. */
export function JobHistoryView({ everyone, onOpen }: { everyone: boolean; onOpen(id: string): void }) {
  const [kind, setKind] = useState('')
  const [state, setState] = useState('')
  // The cursors of the pages up to this one.
  const [cursors, setCursors] = useState<string[]>([])
  const cursor = cursors.at(-1)
  const query = {
    kind,
    state: state || ended.join(','),
    account: everyone ? 'all' : undefined,
    limit: pageSize,
    cursor,
  }
  const { value, error, reload } = useLoaded(JSON.stringify(query), (signal) =>
    callApi<JobList>('GET', routes.jobs, { query, signal }),
  )
  useReloadAfter(isAny, reload)

  const choose = (set: (value: string) => void) => (event: Event) => {
    setCursors([])
    set((event.currentTarget as HTMLSelectElement).value)
  }
  return (
    <section class="panel" aria-labelledby="history">
      <header class="panel-head">
        <h2 id="history">History</h2>
        <label class="inline-field">
          <span>Kind</span>
          <select value={kind} onChange={choose(setKind)}>
            <option value="">all</option>
            {kinds.map((one) => (
              <option key={one} value={one}>
                {pluralLabels[one]}
              </option>
            ))}
          </select>
        </label>
        <label class="inline-field">
          <span>End</span>
          <select value={state} onChange={choose(setState)}>
            <option value="">any</option>
            {ended.map((one) => (
              <option key={one} value={one}>
                {stateLabels[one]}
              </option>
            ))}
          </select>
        </label>
      </header>
      {error !== undefined && !value && <Failed error={error} onRetry={reload} />}
      {!value && error === undefined && <Loading />}
      {value && value.jobs.length === 0 && (
        <Empty icon="jobs" title="Nothing here">
          {kind || state ? 'No job fits this filter.' : 'Jobs that have ended are listed here.'}
        </Empty>
      )}
      {value && value.jobs.length > 0 && <HistoryTable jobs={value.jobs} everyone={everyone} onOpen={onOpen} />}
      <Pager
        page={cursors.length + 1}
        onBack={cursors.length > 0 ? () => setCursors(cursors.slice(0, -1)) : null}
        onNext={value?.next ? () => setCursors([...cursors, value.next!]) : null}
        label="history"
      />
    </section>
  )
}

function isAny(): boolean {
  return true
}

function HistoryTable({ jobs, everyone, onOpen }: { jobs: JobRecord[]; everyone: boolean; onOpen(id: string): void }) {
  return (
    <div class="scroll-x">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">Job</th>
            {everyone && <th scope="col">Account</th>}
            <th scope="col">End</th>
            <th scope="col" class="number">
              Size
            </th>
            <th scope="col" class="number wide-only">
              Took
            </th>
            <th scope="col" class="number">
              When
            </th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id} class={job.kind}>
              <td class="name-cell">
                <span class="kind-icon small" title={kindLabels[job.kind]}>
                  <Icon name={kindIcons[job.kind]} />
                  <span class="hidden">{kindLabels[job.kind]}</span>
                </span>
                <button type="button" class="job-name" onClick={() => onOpen(job.id)}>
                  <FileName name={nameOf(job)} />
                </button>
              </td>
              {everyone && <td>{job.account}</td>}
              <td class="end-cell" title={job.stoppedBy ? `stopped by ${job.stoppedBy}` : ''}>
                <span class={`state ${job.state}`}>{stateLabels[job.state]}</span>
                {job.stoppedBy && <span class="dim wide-only"> by {job.stoppedBy}</span>}
              </td>
              <td class="number">{formatBytes(job.bytes)}</td>
              <td class="number wide-only">{tookWords(job)}</td>
              <td class="number">
                {job.endedAt && <time dateTime={job.endedAt}>{formatShortTime(job.endedAt)}</time>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function tookWords({ startedAt, endedAt }: JobRecord): string {
  return startedAt && endedAt ? formatDuration(Date.parse(endedAt) - Date.parse(startedAt)) : ''
}
