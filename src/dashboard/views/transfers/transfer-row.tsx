import { computed } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import type { JobRecord } from '../../../protocol/jobs.js'
import { formatBytes } from '../../../protocol/units.js'
import { findLive, revision } from '../../live/job-store.js'
import { Bar } from '../../parts/bar.js'
import { FileName } from '../../parts/file-name.js'
import { Icon } from '../../parts/icon.js'
import { Sparkline } from '../../parts/sparkline.js'
import { formatRate, timeLeft } from '../../words/amounts.js'
import { formatShortTime, formatWholeTime } from '../../words/format.js'
import { say } from '../../words/say.js'
import { JobButtons } from './job-buttons.js'
import { filesDone, kindIcons, nameOf, percentShown, progressWords, toneOf } from './job-words.js'

export interface TransferRowProps {
  job: JobRecord
  /** Show the account if jobs of several accounts are listed; default: false. */
  showAccount?: boolean
  isSelected?: boolean
  /** Default: it cannot be selected. */
  onSelect?(id: string, isSelected: boolean): void
  onOpen(id: string): void
  onLimit(id: string): void
}

/** A job in one line; on a phone in two. */
export function TransferRow(props: TransferRowProps) {
  const { job, showAccount = false, isSelected = false, onSelect, onOpen, onLimit } = props
  const record = useNewest(job)
  const { id, kind, state, account } = record
  const name = nameOf(record)
  const kindWords = say(`kind.${kind}`)
  const label = `${kindWords} ${name}`
  const isRunning = record.endedAt === null
  const rates = findLive(id)?.rates
  return (
    <article
      class={`transfer ${kind} is-${state}${showAccount ? ' with-account' : ''}`}
      aria-label={label}
      data-job={id}
    >
      {isRunning && onSelect ? (
        <label class="transfer-check">
          <span class="hidden">{say('transfers.select', { job: label })}</span>
          <input type="checkbox" checked={isSelected} onChange={(event) => onSelect(id, event.currentTarget.checked)} />
        </label>
      ) : (
        <span />
      )}
      <span class="kind-icon small" title={kindWords}>
        <Icon name={kindIcons[kind]} />
      </span>
      <span class="transfer-name">
        <button type="button" class="job-name" onClick={() => onOpen(id)}>
          <FileName name={name} />
        </button>
      </span>
      {showAccount && (
        <span class="transfer-account" title={account}>
          {account}
        </span>
      )}
      <span class="transfer-state">
        {isRunning && <Bar percent={percentShown(record)} label={label} tone={toneOf(record)} />}
        {state !== 'running' && <span class={`state ${state}`}>{say(`state.${state}`)}</span>}
        {isRunning && record.percent !== null && <span class="percent">{record.percent} %</span>}
      </span>
      <span class={isRunning ? 'transfer-facts' : 'transfer-facts is-ended'}>
        {isRunning ? <RunningFacts record={record} /> : <EndedFacts record={record} />}
      </span>
      {isRunning && rates && <Sparkline rates={rates} revision={rates.at(-1)?.at ?? 0} />}
      {isRunning && (
        <span class="job-actions">
          <JobButtons record={record} onLimit={onLimit} />
        </span>
      )}
    </article>
  )
}

/** The job as it is now. A row is rendered again only when its own job has changed. */
function useNewest(job: JobRecord): JobRecord {
  const newest = useMemo(
    () =>
      computed(() => {
        revision.value
        return findLive(job.id)?.record ?? job
      }),
    [job],
  )
  return newest.value
}

function RunningFacts({ record }: { record: JobRecord }) {
  const { rate, rateLimit, state } = record
  return (
    <>
      {rate !== null && state === 'running' && <span class="rate">{formatRate(rate)}</span>}
      {timeLeft(record) && <span>{timeLeft(record)}</span>}
      {rateLimit !== null && <span class="limit">{say('transfers.limitOf', { rate: formatRate(rateLimit) })}</span>}
      <span class="transfer-words">{progressWords(record)}</span>
    </>
  )
}

function EndedFacts({ record }: { record: JobRecord }) {
  const { state, error, stoppedBy, bytes, endedAt, files } = record
  return (
    <>
      {state === 'failed' && error ? (
        <span class="why" title={error.message}>
          {error.message}
        </span>
      ) : (
        <span>
          {files && files.failed > 0 && <span class="bad-words">{filesDone(files)} · </span>}
          {formatBytes(bytes)}
          {stoppedBy && ` · ${say('transfers.by', { account: stoppedBy })}`}
        </span>
      )}
      {endedAt && (
        <time dateTime={endedAt} title={formatWholeTime(endedAt)}>
          {formatShortTime(endedAt)}
        </time>
      )}
    </>
  )
}
