import { useRef } from 'preact/hooks'
import type { JobDetailsRecord, JobRecord } from '../../../protocol/jobs.js'
import { isProblemCode, problems } from '../../../protocol/problems.js'
import { jobPath } from '../../../protocol/routes.js'
import { callApi } from '../../api.js'
import { findLive, revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { Dialog } from '../../parts/dialog.js'
import { FileName } from '../../parts/file-name.js'
import { LazyChart } from '../../parts/lazy-chart.js'
import { useLoaded } from '../../parts/loaded.js'
import { Failed, Loading } from '../../parts/states.js'
import { formatRate } from '../../words/amounts.js'
import { say } from '../../words/say.js'
import { JobButtons } from './job-buttons.js'
import { JobFactList } from './job-fact-list.js'
import { nameOf } from './job-words.js'
import { ReceiptFacts } from './receipt-facts.js'

/** All details of one job: the chart of its rate while it runs, how it ended and why, the receipt of a stop, the SQL of a query. */
export function JobDetails({ id, onClose, onLimit }: { id: string; onClose(): void; onLimit(id: string): void }) {
  revision.value
  const live = findLive(id)
  const isRunning = live?.endedAt === null
  // Reloaded when it has ended: the first response showed a running job.
  const key = `${id} ${isRunning ? 'live' : 'ended'}`
  const { value, error, reload } = useLoaded(key, (signal) => callApi<JobDetailsRecord>('GET', jobPath(id), { signal }))
  const last = useRef<JobRecord | undefined>(undefined)
  last.current = live?.record ?? value ?? last.current
  const record = last.current
  if (!record) {
    return (
      <Dialog title={say('job.title')} onClose={onClose} wide>
        {error ? <Failed error={error} onRetry={reload} /> : <Loading rows={4} />}
      </Dialog>
    )
  }
  const name = nameOf(record)
  return (
    <Dialog title={<FileName name={name} />} onClose={onClose} wide>
      <div class={`job-details ${record.kind}`}>
        <p class="job-details-state">
          <span class={`state ${record.state}`}>{say(`state.${record.state}`)}</span>
          {isRunning && (
            <span class="job-actions">
              <JobButtons record={record} onLimit={onLimit} />
            </span>
          )}
        </p>
        {record.state === 'failed' && record.error && <WhyFailed {...record.error} />}
        {record.endedAt === null && (
          <Bar percent={record.percent} label={say('transfers.progressOf', { job: name })} tone={record.kind} />
        )}
        {live && live.rates.length > 1 && (
          <LazyChart
            times={live.rates.map(({ at }) => at)}
            values={live.rates.map(({ rate }) => rate)}
            label={say('job.rateOf', { job: name })}
            format={formatRate}
            kind="rate"
            seconds={15}
          />
        )}
        {value?.receipt && <ReceiptFacts receipt={value.receipt} />}
        {value?.query && <Sql text={value.query} />}
        <JobFactList record={record} />
      </div>
    </Dialog>
  )
}

function WhyFailed({ message, code }: NonNullable<JobRecord['error']>) {
  return (
    <section class="why-failed" aria-label={say('job.why')}>
      {isProblemCode(code) && <strong>{problems[code].title}</strong>}
      <p>{message}</p>
      <code>{code}</code>
    </section>
  )
}

function Sql({ text }: { text: string }) {
  return (
    <section aria-label={say('job.query')}>
      <h3>{say('job.query')}</h3>
      <pre class="job-sql">{text}</pre>
    </section>
  )
}
